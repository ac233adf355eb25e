use std::marker::PhantomData;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fork::{Entry, ExitStatus, PrivateFd, fork_sharing};
use nix::sys::signal::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::{self, Problem};
use crate::handle::{ActiveChild, Shared};
use crate::me::{self, Orders};
use crate::target::{Call, Target};
use crate::{Error, paper, registry, spawn};

/// How a child begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// A copy of this process: everything that the parent had in memory is there. The default.
    #[default]
    Fork,
    /// This program executed afresh, with nothing of the parent but what crosses to it. It needs
    /// [`init`](crate::init).
    Spawn,
}

/// A function that runs in a process of its own, and the process that runs it.
///
/// Unlike [`fork::Child`], which is a copy of the caller and gives an exit code, it is an object
/// with a name, it begins when [`start`](Process::start) says so, by a fork or afresh, and it
/// gives back a value. Unlike a [`std::process::Command`], it runs a function of this program and
/// not somebody else's program.
///
/// # Who reaps
///
/// A child that has ended is a zombie until somebody here asks how it ended:
/// [`join`](Process::join), [`is_alive`](Process::is_alive) and [`status`](Process::status) do.
/// Dropping the handle neither ends a child nor waits for it. One that has ended is reaped by the
/// drop; one that runs stays on the list of [`active_children`], and is reaped, after its end, by the
/// next call of that or by the next [`start`](Process::start).
#[derive(Debug)]
pub struct Process<R> {
    name: String,
    daemon: bool,
    method: Start,
    entry: Entry,
    arguments: Result<Vec<u8>, postcard::Error>,
    handed: Vec<PrivateFd>,
    running: Option<Running>,
    result: PhantomData<fn() -> R>,
}

#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    /// Where the child leaves its answer.
    paper: PrivateFd,
    joined: bool,
}

/// For names: `Process-1`, `Process-2`, as in Python.
static COUNT: AtomicU32 = AtomicU32::new(1);

impl<R: Serialize + DeserializeOwned + 'static> Process<R> {
    /// A process that will call `target` with `args`, a tuple.
    ///
    /// # Panics
    ///
    /// When the code of `target` is not part of the program itself, but of a library that was loaded
    /// at run time ([`Entry::of`]).
    pub fn new<F, Args>(target: F, args: Args) -> Process<R>
    where
        F: Target<Args, Output = R>,
        Args: Serialize + DeserializeOwned + 'static,
    {
        Process {
            name: format!("Process-{}", COUNT.fetch_add(1, Relaxed)),
            daemon: false,
            method: Start::Fork,
            entry: Entry::of(Call(target, PhantomData)),
            arguments: postcard::to_stdvec(&args),
            handed: Vec::new(),
            running: None,
            result: PhantomData,
        }
    }

    /// Waits for its end, and gives what its function returned.
    ///
    /// The wait has no deadline, since a process may rightly run for ever: see
    /// [`join_timeout`](Process::join_timeout). Its death ends the wait.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`] with message and place; [`Error::Ended`] when it was killed or left by
    /// an exit; [`Error::Result`] when the value could not be transferred; [`Error::NotStarted`];
    /// [`Error::AlreadyJoined`] when the value was given out before; [`Error::Wait`] when this
    /// process is not its parent.
    pub fn join(&mut self) -> Result<R, Error> {
        let status = self.unjoined()?.shared.child().wait()?;
        self.answer(status)
    }

    /// Waits at most that long; `None` if it has not ended by then, and a later join gets the value.
    ///
    /// # Errors
    ///
    /// As [`join`](Process::join).
    pub fn join_timeout(&mut self, timeout: Duration) -> Result<Option<R>, Error> {
        match self.unjoined()?.shared.child().wait_timeout(timeout)? {
            Some(status) => self.answer(status).map(Some),
            None => Ok(None),
        }
    }

    fn unjoined(&mut self) -> Result<&mut Running, Error> {
        match &mut self.running {
            None => Err(Error::NotStarted { name: self.name.clone() }),
            Some(Running { joined: true, .. }) => {
                Err(Error::AlreadyJoined { name: self.name.clone() })
            }
            Some(running) => Ok(running),
        }
    }

    /// What it left, once it has ended.
    fn answer(&mut self, status: ExitStatus) -> Result<R, Error> {
        let running = self.unjoined()?;
        let pid = running.shared.child().pid();
        let answer = running.paper.fd().and_then(answer::find)?;
        running.joined = true;
        let name = || self.name.clone();
        match answer {
            Some(Ok(value)) => postcard::from_bytes(&value)
                .map_err(|error| Error::Result { name: name(), reason: error.to_string() }),
            Some(Err(Problem::NotTransferred(reason))) => {
                Err(Error::Result { name: name(), reason })
            }
            Some(Err(Problem::Panicked { message, place })) => {
                Err(Error::Panicked { name: name(), pid, message, place })
            }
            None => Err(Error::Ended { name: name(), pid, status }),
        }
    }
}

impl<R> Process<R> {
    /// Gives it a name; `Process-1` and so on without this.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Process<R> {
        self.name = name.into();
        self
    }

    /// Makes it end when this process ends, however this process ends, by `SIGKILL` too.
    #[must_use]
    pub fn daemon(mut self, daemon: bool) -> Process<R> {
        self.daemon = daemon;
        self
    }

    /// How it will begin.
    #[must_use]
    pub fn method(mut self, method: Start) -> Process<R> {
        self.method = method;
        self
    }

    /// Gives it descriptors, for [`handed_over`](crate::handed_over) in the child. They close here
    /// when it starts.
    #[must_use]
    pub fn hand_over(mut self, fds: Vec<PrivateFd>) -> Process<R> {
        self.handed.extend(fds);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyStarted`], [`Error::Arguments`], [`Error::NoInit`], [`Error::Fork`],
    /// [`Error::Spawn`], [`Error::Io`]: no process exists then. What was to be handed over to it may be
    /// closed.
    pub fn start(&mut self) -> Result<(), Error> {
        let name = || self.name.clone();
        if self.running.is_some() {
            return Err(Error::AlreadyStarted { name: name() });
        }
        let arguments = match &self.arguments {
            Ok(arguments) => arguments.as_slice(),
            Err(error) => return Err(Error::Arguments { name: name(), reason: error.to_string() }),
        };
        if self.method == Start::Spawn && !spawn::can_spawn() {
            return Err(Error::NoInit { name: name() });
        }
        me::note_panics();
        registry::reap_dropped();
        let orders = Orders {
            name: name(),
            daemon: self.daemon,
            parent_pid: std::process::id().cast_signed(),
            parent_name: me::current_process().into_name(),
        };
        let paper = paper::blank()?;
        let (mut fds, mut _lifeline) = (Vec::new(), None);
        if self.daemon {
            let (held, tether) = registry::lifeline()?;
            _lifeline = Some(held);
            fds.push(tether);
        }
        fds.append(&mut self.handed);
        let shared = Arc::new(Shared { orders, started: OnceLock::new(), _lifeline });
        registry::add(&shared);
        let child = match self.method {
            Start::Fork => {
                let known = Arc::clone(&shared);
                fork_sharing(&paper, fds, |paper, fds| {
                    me::begin(known, self.entry, arguments, paper, fds)
                })?
            }
            Start::Spawn => spawn::spawn(&shared.orders, self.entry, arguments, &paper, &fds)
                .map_err(|source| Error::Spawn { name: name(), source })?,
        };
        shared.started.get_or_init(|| child);
        self.running = Some(Running { shared, paper, joined: false });
        Ok(())
    }

    /// Its pid, once it is started.
    pub fn pid(&self) -> Option<i32> {
        self.running.as_ref().map(|running| running.shared.child().pid())
    }

    /// Its name.
    pub fn get_name(&self) -> &str {
        &self.name
    }

    /// Whether it was started and has not ended.
    pub fn is_alive(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.shared.lives())
    }

    /// How it ended; `None` before.
    ///
    /// # Errors
    ///
    /// [`Error::Wait`] when this process is not its parent.
    pub fn status(&self) -> Result<Option<ExitStatus>, Error> {
        match &self.running {
            Some(running) => Ok(running.shared.child().try_wait()?),
            None => Ok(None),
        }
    }

    /// How it ended in Python's notation: the exit code, or a signal's number made negative.
    /// `None` while it has not ended.
    pub fn exitcode(&self) -> Option<i32> {
        self.status().ok().flatten().map(ExitStatus::exitcode)
    }

    /// A descriptor that becomes readable, for poll(2), when it ends.
    ///
    /// # Errors
    ///
    /// [`Error::NotStarted`]; [`Error::Wait`] when this process is not its parent.
    pub fn sentinel(&self) -> Result<BorrowedFd<'_>, Error> {
        Ok(self.started()?.child().sentinel()?)
    }

    /// Asks it to end: `SIGTERM`, which it may catch or ignore. No error if it has ended.
    ///
    /// # Errors
    ///
    /// [`Error::NotStarted`]; [`Error::Wait`] when this process is not its parent.
    pub fn terminate(&self) -> Result<(), Error> {
        Ok(self.started()?.child().signal(Signal::SIGTERM)?)
    }

    /// Ends it: `SIGKILL`. No error if it has ended.
    ///
    /// # Errors
    ///
    /// [`Error::NotStarted`]; [`Error::Wait`] when this process is not its parent.
    pub fn kill(&self) -> Result<(), Error> {
        Ok(self.started()?.child().signal(Signal::SIGKILL)?)
    }

    fn started(&self) -> Result<&Shared, Error> {
        match &self.running {
            Some(running) => Ok(&running.shared),
            None => Err(Error::NotStarted { name: self.name.clone() }),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error says that it is another process's child, or that it was reaped elsewhere.
        if let Ok(None) = self.shared.child().try_wait() {
            registry::take_over(Arc::clone(&self.shared));
        }
    }
}

/// The children of this process that live, in the order of their start, as Python's
/// `multiprocessing.active_children()`. Those that have ended are reaped by this.
pub fn active_children() -> Vec<ActiveChild> {
    registry::living().into_iter().map(ActiveChild).collect()
}
