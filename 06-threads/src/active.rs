use std::cell::OnceCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};

use nix::unistd::{getpid, gettid};

/// What is known of a thread, by whoever knows it.
#[derive(Debug)]
pub(crate) struct Info {
    pub name: Arc<str>,
    pub daemon: bool,
    /// In the order of the starts.
    serial: u64,
    /// Set by the thread itself, as its first act: nobody else can know it earlier.
    native_id: OnceLock<i32>,
    ident: OnceLock<ThreadId>,
    ended: AtomicBool,
}

impl Info {
    pub(crate) fn new(name: Arc<str>, daemon: bool) -> Arc<Info> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        Arc::new(Info {
            name,
            daemon,
            serial: SERIAL.fetch_add(1, Relaxed),
            native_id: OnceLock::new(),
            ident: OnceLock::new(),
            ended: AtomicBool::new(false),
        })
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.ended.load(Relaxed)
    }

    pub(crate) fn native_id(&self) -> i32 {
        // It is there as soon as the thread has run its first instructions.
        *self.native_id.wait()
    }

    /// Lists it, from just before its start on.
    pub(crate) fn enlist(self: &Arc<Info>) {
        registry().push(Arc::clone(self));
    }

    /// Takes it off the list: it has ended, or was never begun.
    pub(crate) fn strike(&self) {
        if self.ended.swap(true, Relaxed) {
            return;
        }
        let mut registry = registry();
        // From the end, as most threads that end are young.
        if let Some(index) = registry.iter().rposition(|info| info.serial == self.serial) {
            registry.swap_remove(index);
        }
    }

    /// Called by the thread itself.
    pub(crate) fn enter(self: &Arc<Info>) {
        let _ = self.native_id.set(gettid().as_raw());
        let _ = self.ident.set(thread::current().id());
        let _ = CURRENT.try_with(|current| current.set(Me(Arc::clone(self))));
    }
}

/// All threads but the main one. They strike themselves off, so nobody has to clean up.
static REGISTRY: Mutex<Vec<Arc<Info>>> = Mutex::new(Vec::new());

fn registry() -> MutexGuard<'static, Vec<Arc<Info>>> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This thread. Its destructor runs when the thread ends, whoever started it.
struct Me(Arc<Info>);

impl Drop for Me {
    fn drop(&mut self) {
        self.0.strike();
    }
}

thread_local! {
    static CURRENT: OnceCell<Me> = const { OnceCell::new() };
}

/// A thread that was started, as [`enumerate`] lists it.
///
/// Unlike a [`Thread`](crate::Thread), which its owner alone has and which gives the value, it can
/// be cloned and kept by anybody, to look at. Nobody can end a thread from outside.
#[derive(Debug, Clone)]
pub struct ActiveThread(pub(crate) Arc<Info>);

impl ActiveThread {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether nobody waits for it.
    pub fn daemon(&self) -> bool {
        self.0.daemon
    }

    /// Whether its function still runs.
    pub fn is_alive(&self) -> bool {
        self.0.is_alive()
    }

    /// Its number in the kernel, as in `/proc/self/task` and in `top -H`: gettid(2). A later thread
    /// of the machine may get the same one.
    pub fn native_id(&self) -> i32 {
        self.0.native_id()
    }

    /// Its number in the standard library, unique in this process for ever. `None` for a main thread
    /// that has never asked for its [`current_thread`].
    pub fn ident(&self) -> Option<ThreadId> {
        self.0.ident.get().copied()
    }
}

/// The thread that calls this.
///
/// A thread that was started by other means than [`Thread`](crate::Thread) gets its name from the
/// standard library, or else `Dummy-1` and so on, and is listed from here on until it ends.
pub fn current_thread() -> ActiveThread {
    let known = CURRENT.try_with(|current| ActiveThread(Arc::clone(&current.get_or_init(me).0)));
    // In a destructor of a thread local, when this library's own is gone already.
    known.unwrap_or_else(|_| ActiveThread(stranger()))
}

fn me() -> Me {
    if gettid() == getpid() {
        let main = main_info();
        let _ = main.ident.set(thread::current().id());
        return Me(Arc::clone(main));
    }
    let stranger = stranger();
    stranger.enlist();
    Me(stranger)
}

/// A thread that this library did not start.
fn stranger() -> Arc<Info> {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let current = thread::current();
    let dummy = || format!("Dummy-{}", COUNT.fetch_add(1, Relaxed));
    let info = Info::new(current.name().map_or_else(dummy, str::to_owned).into(), true);
    let _ = info.native_id.set(gettid().as_raw());
    let _ = info.ident.set(current.id());
    info
}

/// The thread that the process began with. Its kernel number is the process's own.
pub fn main_thread() -> ActiveThread {
    ActiveThread(Arc::clone(main_info()))
}

fn main_info() -> &'static Arc<Info> {
    static MAIN: OnceLock<Arc<Info>> = OnceLock::new();
    MAIN.get_or_init(|| {
        let info = Info::new("MainThread".into(), false);
        let _ = info.native_id.set(getpid().as_raw());
        info
    })
}

/// The threads that live, the main thread first, then in the order of their starts, as Python's
/// `threading.enumerate()`.
///
/// Of threads that others started those are here that have asked for their [`current_thread`]. The
/// kernel lists all, in `/proc/self/task`.
pub fn enumerate() -> Vec<ActiveThread> {
    let mut others = registry().clone();
    others.sort_unstable_by_key(|info| info.serial);
    let main = Arc::clone(main_info());
    std::iter::once(main).chain(others).map(ActiveThread).collect()
}

/// How many threads [`enumerate`] lists.
pub fn active_count() -> usize {
    registry().len() + 1
}
