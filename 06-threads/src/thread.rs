use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Builder, JoinHandle, ThreadId};
use std::time::Duration;

use crate::Error;
use crate::active::{ActiveThread, Info};
use crate::panics::{Panic, catch, note_panics};

/// A function that runs in a thread of its own, and the thread that runs it.
///
/// Unlike [`std::thread::JoinHandle`], it has a name from the beginning, it begins when
/// [`start`](Thread::start) says so, it can be waited for with a timeout, and a panic is an error
/// with message and place. And whoever drops it waits for it, unless it is a
/// [`daemon`](Thread::daemon): a dropped `JoinHandle` leaves its thread alone, and the end of `main`
/// cuts that off in the middle of a line.
///
/// Unlike a process, it shares everything with its process: memory, files, and the end. Nobody can
/// end it from outside.
pub struct Thread<R> {
    /// A number of its own, if it is asked for before it is given one.
    name: OnceLock<Arc<str>>,
    daemon: bool,
    stack_size: Option<usize>,
    shared: Arc<Shared<R>>,
    running: Option<Running>,
}

struct Running {
    info: Arc<Info>,
    /// `None` once it was joined.
    handle: Option<JoinHandle<()>>,
    id: ThreadId,
}

/// What the thread and whoever waits for it have in common.
struct Shared<R> {
    inner: Mutex<Inner<R>>,
    /// Who waits with a timeout waits for this; who waits without one, for the end itself.
    ended: Condvar,
}

struct Inner<R> {
    state: State<R>,
    /// Whether somebody waits for `ended`. Mostly nobody does, and to notify would be a system call
    /// for nothing.
    awaited: bool,
}

type Target<R> = Box<dyn FnOnce() -> R + Send>;

enum State<R> {
    /// Here until the thread itself takes it: a start that is refused loses nothing.
    Ready(Target<R>),
    Running,
    Ended(Result<R, Panic>),
    GivenOut,
}

impl<R> Shared<R> {
    fn inner(&self) -> MutexGuard<'_, Inner<R>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is there, and leaves `then`.
    fn replace(&self, then: State<R>) -> State<R> {
        std::mem::replace(&mut self.inner().state, then)
    }

    /// The thread's whole life.
    fn run(&self, info: &Arc<Info>) {
        info.enter();
        let State::Ready(target) = self.replace(State::Running) else { return };
        let result = catch(target);
        // Off the list before anybody can hear of the end: who has joined it finds it nowhere.
        info.strike();
        let mut inner = self.inner();
        inner.state = State::Ended(result);
        let awaited = inner.awaited;
        drop(inner);
        if awaited {
            self.ended.notify_all();
        }
    }
}

impl<R: Send + 'static> Thread<R> {
    /// A thread that will call `target`.
    ///
    /// It may live longer than its creator's variables, so it owns what it uses (`move`). To lend
    /// it something, use [`std::thread::scope`].
    pub fn new(target: impl FnOnce() -> R + Send + 'static) -> Thread<R> {
        Thread {
            name: OnceLock::new(),
            daemon: false,
            stack_size: None,
            shared: Arc::new(Shared {
                inner: Mutex::new(Inner { state: State::Ready(Box::new(target)), awaited: false }),
                ended: Condvar::new(),
            }),
            running: None,
        }
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyStarted`], [`Error::Name`], [`Error::Refused`]: no thread exists then.
    pub fn start(&mut self) -> Result<(), Error> {
        if self.running.is_some() {
            return Err(Error::AlreadyStarted { name: self.get_name().to_owned() });
        }
        if self.get_name().contains('\0') {
            return Err(Error::Name { name: self.get_name().to_owned() });
        }
        note_panics();
        let mut builder = Builder::new().name(self.get_name().to_owned());
        if let Some(bytes) = self.stack_size {
            builder = builder.stack_size(bytes);
        }
        let info = Info::new(Arc::clone(self.shared_name()), self.daemon);
        info.enlist();
        let (shared, its) = (Arc::clone(&self.shared), Arc::clone(&info));
        match builder.spawn(move || shared.run(&its)) {
            Ok(handle) => {
                let id = handle.thread().id();
                self.running = Some(Running { info, handle: Some(handle), id });
                Ok(())
            }
            Err(source) => {
                info.strike();
                Err(Error::Refused { name: self.get_name().to_owned(), source })
            }
        }
    }

    /// Waits for its end, and gives what its function returned.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`] with message and place; [`Error::NotStarted`]; [`Error::AlreadyJoined`]
    /// when the value was given out before; [`Error::Itself`].
    pub fn join(&mut self) -> Result<R, Error> {
        self.check_joinable()?;
        if let Some(handle) = self.running.as_mut().and_then(|running| running.handle.take()) {
            // Its own panics were caught; what is left are those of thread locals' destructors.
            let _ = handle.join();
        }
        self.value()
    }

    /// Waits at most that long; `None` if it has not ended by then, and a later join gets the value.
    ///
    /// Ended means that its function has. Unlike [`join`](Thread::join), this does not wait for the
    /// destructors of its thread locals, which come after and could take any time.
    ///
    /// # Errors
    ///
    /// As [`join`](Thread::join).
    pub fn join_timeout(&mut self, timeout: Duration) -> Result<Option<R>, Error> {
        self.check_joinable()?;
        let mut inner = self.shared.inner();
        inner.awaited = true;
        let lives = |inner: &mut Inner<R>| matches!(inner.state, State::Ready(_) | State::Running);
        let waited = self.shared.ended.wait_timeout_while(inner, timeout, lives);
        let (inner, result) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(inner);
        if result.timed_out() { Ok(None) } else { self.value().map(Some) }
    }

    fn check_joinable(&self) -> Result<(), Error> {
        let name = || self.get_name().to_owned();
        match self.ident() {
            None => Err(Error::NotStarted { name: name() }),
            Some(id) if id == thread::current().id() => Err(Error::Itself { name: name() }),
            Some(_) => Ok(()),
        }
    }

    fn value(&mut self) -> Result<R, Error> {
        match self.shared.replace(State::GivenOut) {
            State::Ended(result) => result.map_err(|panic| Error::panicked(self.get_name(), panic)),
            _ => Err(Error::AlreadyJoined { name: self.get_name().to_owned() }),
        }
    }
}

impl<R> Thread<R> {
    /// Gives it a name; `Thread-1` and so on without this. The kernel keeps the first 15 bytes, for
    /// `top -H`, debuggers and `/proc/self/task/*/comm`.
    #[must_use]
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Thread<R> {
        self.name = OnceLock::from(name.into());
        self
    }

    /// Makes it one that nobody waits for: it may be dropped, and ends with the process.
    #[must_use]
    pub fn daemon(mut self, daemon: bool) -> Thread<R> {
        self.daemon = daemon;
        self
    }

    /// The size of its stack in bytes, at least; 2 MiB without this, or what `RUST_MIN_STACK` says.
    ///
    /// It is a promise of memory and not memory: only pages that were touched are there.
    #[must_use]
    pub fn stack_size(mut self, bytes: usize) -> Thread<R> {
        self.stack_size = Some(bytes);
        self
    }

    /// Its name.
    pub fn get_name(&self) -> &str {
        self.shared_name()
    }

    fn shared_name(&self) -> &Arc<str> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        self.name.get_or_init(|| format!("Thread-{}", COUNT.fetch_add(1, Relaxed)).into())
    }

    /// Whether it was started and its function has not ended.
    pub fn is_alive(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.info.is_alive())
    }

    /// Its number in the standard library, once it is started: unique in this process for ever.
    pub fn ident(&self) -> Option<ThreadId> {
        self.running.as_ref().map(|running| running.id)
    }

    /// Its number in the kernel, once it is started, as in `/proc/self/task`: gettid(2).
    pub fn native_id(&self) -> Option<i32> {
        self.running.as_ref().map(|running| running.info.native_id())
    }

    /// The same thread for everybody to look at, once it is started.
    pub fn active(&self) -> Option<ActiveThread> {
        self.running.as_ref().map(|running| ActiveThread(Arc::clone(&running.info)))
    }
}

impl<R> Drop for Thread<R> {
    /// Waits for its end, unless it is a daemon.
    fn drop(&mut self) {
        let Some(running) = &mut self.running else { return };
        // One that owns its own handle would wait for ever.
        if !self.daemon
            && running.id != thread::current().id()
            && let Some(handle) = running.handle.take()
        {
            // A panic's message was on stderr.
            let _ = handle.join();
        }
    }
}

impl<R> fmt::Debug for Thread<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("name", &self.get_name())
            .field("daemon", &self.daemon)
            .field("started", &self.running.is_some())
            .field("alive", &self.is_alive())
            .finish_non_exhaustive()
    }
}
