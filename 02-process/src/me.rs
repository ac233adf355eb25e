use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::parent_id;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock, PoisonError};

use fork::{Entry, PrivateFd, Tether, watch_parent};
use serde::{Deserialize, Serialize};

use crate::answer::{self, Answer, Problem};
use crate::handle::Shared;
use crate::registry::between_forks;

/// What a child is told of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub name: String,
    pub daemon: bool,
    pub parent_pid: i32,
    pub parent_name: String,
}

/// Who this process is.
struct Me {
    /// `None` in a process that this library did not start.
    known: Option<Arc<Shared>>,
    handed: Vec<OwnedFd>,
}

static ME: Mutex<Me> = Mutex::new(Me { known: None, handed: Vec::new() });

#[inline]
fn me() -> MutexGuard<'static, Me> {
    ME.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Me {
    fn orders(&self) -> Option<&Orders> {
        self.known.as_ref().map(|known| &known.orders)
    }
}

/// The process that runs this: its name, its pid, and whether it ends with its parent.
///
/// Unlike a [`Process`](crate::Process), it is seen from inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentProcess {
    name: String,
    daemon: bool,
}

impl CurrentProcess {
    /// The name that its parent gave it; `MainProcess` for one that this library did not start.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn into_name(self) -> String {
        self.name
    }

    /// Its pid.
    pub fn pid(&self) -> i32 {
        std::process::id().cast_signed()
    }

    /// Whether it ends with its parent.
    pub fn daemon(&self) -> bool {
        self.daemon
    }
}

/// The process that runs this, as Python's `multiprocessing.current_process()`.
pub fn current_process() -> CurrentProcess {
    between_forks(|| match me().orders() {
        Some(orders) => CurrentProcess { name: orders.name.clone(), daemon: orders.daemon },
        None => CurrentProcess { name: "MainProcess".to_owned(), daemon: false },
    })
}

/// The parent of this process, as seen by the child.
///
/// Unlike `getppid`, it goes on meaning the parent after the parent's death, when the child belongs
/// to whoever adopted it, and the number may be another's.
#[derive(Debug, Clone)]
pub struct ParentProcess {
    name: String,
    pid: i32,
    /// Opened by the first who needs it.
    watched: Arc<OnceLock<PrivateFd>>,
}

impl ParentProcess {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its pid, which may be another process's once it has ended.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether it still lives.
    pub fn is_alive(&self) -> bool {
        // Whoever adopts an orphan was there before, under another number.
        parent_id().cast_signed() == self.pid
    }

    /// A descriptor that becomes readable, for poll(2), when it ends, however it ends.
    ///
    /// # Errors
    ///
    /// `EMFILE` or `ENFILE` when no descriptor is left.
    pub fn sentinel(&self) -> io::Result<BorrowedFd<'_>> {
        let watched = match self.watched.get() {
            Some(watched) => watched,
            None => {
                let new = watch_parent(self.pid)?;
                // If another thread was faster, ours is closed again.
                self.watched.get_or_init(|| new)
            }
        };
        watched.fd()
    }
}

/// The parent of this process; `None` in a process that this library did not start, as Python's
/// `multiprocessing.parent_process()`.
pub fn parent_process() -> Option<ParentProcess> {
    between_forks(|| {
        me().orders().map(|orders| ParentProcess {
            name: orders.parent_name.clone(),
            pid: orders.parent_pid,
            watched: Arc::default(),
        })
    })
}

/// The descriptors that the parent gave with [`hand_over`](crate::Process::hand_over), in order.
/// They are given out once.
pub fn handed_over() -> Vec<OwnedFd> {
    between_forks(|| std::mem::take(&mut me().handed))
}

/// Becomes the child that the orders say, runs its function, leaves the answer on the paper, and
/// gives the exit code. The descriptors: a daemon's tether, and what was handed over.
///
/// Up to the function it takes no memory and gives none back: a child that was forked has a copy
/// made of every page that it writes to, and most of what it costs is that.
#[inline]
pub(crate) fn begin(
    known: Arc<Shared>,
    entry: Entry,
    arguments: &[u8],
    paper: PrivateFd,
    mut fds: Vec<OwnedFd>,
) -> i32 {
    let tether = if known.orders.daemon { fds.drain(..1).next() } else { None };
    *me() = Me { known: Some(known), handed: fds };
    let answer = match tether.map_or(Ok(()), die_with_parent) {
        Ok(()) => call(entry, arguments),
        Err(error) => {
            Err(Problem::NotTransferred(format!("it can't be tied to its parent: {error}")))
        }
    };
    // Neither the answer nor the paper is dropped: the end of the process, which is near, does it.
    let (answer, paper) = (ManuallyDrop::new(answer), ManuallyDrop::new(paper));
    paper.fd().map_or(1, |paper| answer::leave(paper, &answer))
}

#[inline]
fn call(entry: Entry, arguments: &[u8]) -> Answer {
    let mut output = Vec::new();
    let called = catch_unwind(AssertUnwindSafe(|| entry.run(arguments, &mut output)));
    let payload = match called.map_err(|payload| payload.downcast::<Problem>()) {
        Ok(()) => return Ok(output),
        Err(Ok(problem)) => return Err(*problem),
        Err(Err(payload)) => payload,
    };
    let message = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned());
    let place = PLACE.take().unwrap_or_else(|| "an unknown place".to_owned());
    // Its destructor may panic, with nobody left to catch it.
    let _never_dropped = ManuallyDrop::new(payload);
    Err(Problem::Panicked { message, place })
}

/// Ends this process when its parent ends. The tether is opened anew, because all children share
/// the one that they were given, and who gets the signal is a property of what was opened.
fn die_with_parent(tether: OwnedFd) -> io::Result<()> {
    let own = File::open(format!("/proc/self/fd/{}", tether.as_raw_fd()))?;
    Tether::from(OwnedFd::from(own)).die_when_cut()
}

thread_local! {
    /// Where this thread's last panic was: the hook knows, and who catches the panic does not.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Has every panic note its place, on top of what the program's own hook does.
pub(crate) fn note_panics() {
    static HOOK: Once = Once::new();
    // A hook can't be changed in the middle of a panic.
    if !std::thread::panicking() {
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                PLACE.set(panic.location().map(ToString::to_string));
                before(panic);
            }));
        });
    }
}
