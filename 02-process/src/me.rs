use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use fork::{Entry, PrivateFd, Tether};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Deserialize, Serialize};

use crate::incoming::Frame;

/// What a child is told of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub name: String,
    pub daemon: bool,
    pub parent_pid: i32,
    pub parent_name: String,
    pub entry: [u8; 16],
    pub arguments: Vec<u8>,
}

/// Who this process is.
pub(crate) struct Me {
    name: Option<String>,
    daemon: bool,
    parent: Option<ParentProcess>,
    handed: Vec<OwnedFd>,
}

static ME: Mutex<Me> =
    Mutex::new(Me { name: None, daemon: false, parent: None, handed: Vec::new() });

impl Me {
    /// Held while a child is forked, and opened in the child by its only thread.
    pub(crate) fn hold() -> MutexGuard<'static, Me> {
        ME.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("MainProcess")
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
    let me = Me::hold();
    CurrentProcess { name: me.name().to_owned(), daemon: me.daemon }
}

/// The parent of this process, as seen by the child.
///
/// Unlike `getppid`, it goes on meaning the parent after the parent's death, when the number may be
/// another's and the child belongs to whoever adopted it.
#[derive(Debug, Clone)]
pub struct ParentProcess {
    name: String,
    pid: i32,
    /// A pipe whose other end the parent holds, and nobody else.
    watched: Arc<OwnedFd>,
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
    ///
    /// # Errors
    ///
    /// The error of poll(2).
    pub fn is_alive(&self) -> io::Result<bool> {
        let mut ends = [PollFd::new(self.watched.as_fd(), PollFlags::empty())];
        poll(&mut ends, PollTimeout::ZERO)?;
        Ok(!ends[0].revents().is_some_and(|seen| seen.contains(PollFlags::POLLHUP)))
    }

    /// A descriptor that hangs up (`POLLHUP`, for poll(2)) when it ends, however it ends.
    pub fn sentinel(&self) -> BorrowedFd<'_> {
        self.watched.as_fd()
    }
}

/// The parent of this process; `None` in a process that this library did not start, as Python's
/// `multiprocessing.parent_process()`.
pub fn parent_process() -> Option<ParentProcess> {
    Me::hold().parent.clone()
}

/// The descriptors that the parent gave with [`hand_over`](crate::Process::hand_over), in order.
/// They are given out once.
pub fn handed_over() -> Vec<OwnedFd> {
    std::mem::take(&mut Me::hold().handed)
}

/// Becomes the child that the orders say, and runs its function. The descriptors: where the result
/// goes, what hangs up when the parent ends, and what was handed over.
pub(crate) fn run(
    mut me: MutexGuard<'static, Me>,
    orders: &Orders,
    result: PrivateFd,
    watched: OwnedFd,
    handed: Vec<OwnedFd>,
) -> i32 {
    if orders.daemon
        && let Err(error) = die_with_parent(&watched)
    {
        return send(&result, &Frame::Failed(format!("a daemon can't watch its parent: {error}")));
    }
    *me = Me {
        name: Some(orders.name.clone()),
        daemon: orders.daemon,
        parent: Some(ParentProcess {
            name: orders.parent_name.clone(),
            pid: orders.parent_pid,
            watched: Arc::new(watched),
        }),
        handed,
    };
    drop(me);
    let Some(entry) = Entry::from_bytes(orders.entry) else {
        return send(&result, &Frame::Failed("the function is not of this program".to_owned()));
    };
    let mut output = Vec::new();
    match catch_unwind(AssertUnwindSafe(|| entry.run(&orders.arguments, &mut output))) {
        Ok(()) => send(&result, &Frame::Returned(output)),
        Err(payload) => {
            let message = payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "a value that is no text".to_owned());
            let place = PLACE.take().unwrap_or_else(|| "an unknown place".to_owned());
            // Its destructor may panic, with nobody left to catch it.
            let _never_dropped = std::mem::ManuallyDrop::new(payload);
            send(&result, &Frame::Panicked { message, place });
            PANICKED
        }
    }
}

/// The exit code of a child whose function panicked, as of a `main` that does.
const PANICKED: i32 = 101;

fn send(result: &PrivateFd, frame: &Frame) -> i32 {
    // A parent that does not want the result any more is no failure of ours.
    let _ = result.fd().and_then(|fd| frame.write(&mut File::from(fd.try_clone_to_owned()?)));
    0
}

/// Arms the end of the parent's pipe. Opened anew, because all children share the inherited one,
/// and who gets the signal is a property of what was opened.
fn die_with_parent(watched: &OwnedFd) -> io::Result<()> {
    let own = File::open(format!("/proc/self/fd/{}", watched.as_raw_fd()))?;
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
