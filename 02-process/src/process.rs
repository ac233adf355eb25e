use std::io;
use std::marker::PhantomData;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fork::{Entry, ExitStatus, PrivateFd, fork_handing};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::handle::{ActiveChild, Shared};
use crate::incoming::{Frame, Incoming};
use crate::me::{self, Me, Orders};
use crate::registry::Registry;
use crate::target::{Call, NOT_DECODED, NOT_ENCODED, Target, VALUE};
use crate::{Error, spawn};

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
    incoming: Mutex<Incoming>,
    joined: bool,
}

const FOREVER: Duration = Duration::MAX;

/// For names: `Process-1`, `Process-2`, as in Python.
static COUNT: AtomicU32 = AtomicU32::new(1);

impl<R: Serialize + DeserializeOwned + 'static> Process<R> {
    /// A process that will call `target` with `args`, a tuple.
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
    /// The result is read while it waits, so a large one can't block the two.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`] with message and place; [`Error::Ended`] when it was killed or left by
    /// an exit; [`Error::Result`] when the value could not be transferred; [`Error::NotStarted`];
    /// [`Error::AlreadyJoined`] when the value was given out before.
    pub fn join(&mut self) -> Result<R, Error> {
        loop {
            // No deadline, since a process may rightly run for ever; its death ends the wait.
            if let Some(value) = self.join_timeout(FOREVER)? {
                return Ok(value);
            }
        }
    }

    /// Waits at most that long; `None` if it has not ended by then, and a later join gets the value.
    ///
    /// # Errors
    ///
    /// As [`join`](Process::join).
    pub fn join_timeout(&mut self, timeout: Duration) -> Result<Option<R>, Error> {
        let name = self.name.clone();
        let Some(running) = &mut self.running else { return Err(Error::NotStarted { name }) };
        if running.joined {
            return Err(Error::AlreadyJoined { name });
        }
        let Some(status) = running.wait(timeout)? else { return Ok(None) };
        running.joined = true;
        let pid = running.shared.child.pid();
        let incoming = running.incoming.get_mut().unwrap_or_else(PoisonError::into_inner);
        let not_transferred = |reason: String| Error::Result { name: name.clone(), reason };
        match incoming.frame() {
            None => Err(Error::Ended { name, pid, status }),
            Some(Err(error)) => Err(not_transferred(error.to_string())),
            Some(Ok(Frame::Failed(reason))) => Err(not_transferred(reason)),
            Some(Ok(Frame::Panicked { message, place })) => {
                Err(Error::Panicked { name, pid, message, place })
            }
            Some(Ok(Frame::Returned(output))) => match output.split_first() {
                Some((&VALUE, value)) => postcard::from_bytes(value)
                    .map(Some)
                    .map_err(|error| not_transferred(error.to_string())),
                Some((&NOT_DECODED, reason)) => Err(not_transferred(format!(
                    "its arguments arrived as something else: {}",
                    String::from_utf8_lossy(reason)
                ))),
                Some((&NOT_ENCODED, reason)) => {
                    Err(not_transferred(String::from_utf8_lossy(reason).into_owned()))
                }
                _ => Err(not_transferred("it is empty".to_owned())),
            },
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
    /// [`Error::Spawn`]: no process exists then.
    pub fn start(&mut self) -> Result<(), Error> {
        let name = self.name.clone();
        if self.running.is_some() {
            return Err(Error::AlreadyStarted { name });
        }
        let arguments = match &self.arguments {
            Ok(arguments) => arguments.clone(),
            Err(error) => return Err(Error::Arguments { name, reason: error.to_string() }),
        };
        if self.method == Start::Spawn && !spawn::can_spawn() {
            return Err(Error::NoInit { name });
        }
        me::note_panics();
        let mut registry = Registry::hold();
        let watched = registry.watch_me()?;
        let me = Me::hold();
        let orders = Orders {
            name,
            daemon: self.daemon,
            parent_pid: std::process::id().cast_signed(),
            parent_name: me.name().to_owned(),
            entry: self.entry.to_bytes(),
            arguments,
        };
        let (child, result) = match self.method {
            Start::Fork => {
                let [read, write] = PrivateFd::pipe()?;
                let mut fds = vec![write, watched];
                fds.append(&mut self.handed);
                // Both guards move into the closure: they open once here and once in the child.
                let child = fork_handing(fds, move |fds| {
                    registry.enter_child();
                    drop(registry);
                    let mut fds = fds.into_iter();
                    let (Some(write), Some(watched)) = (fds.next(), fds.next()) else { return 1 };
                    match PrivateFd::open(|| Ok([write])) {
                        Ok([write]) => me::run(me, &orders, write, watched, fds.collect()),
                        Err(_) => 1,
                    }
                })?;
                (child, read)
            }
            Start::Spawn => {
                drop((me, registry));
                let handed = std::mem::take(&mut self.handed);
                spawn::spawn(&orders, &watched, &handed)
                    .map_err(|source| Error::Spawn { name: orders.name.clone(), source })?
            }
        };
        let (name, daemon) = (self.name.clone(), self.daemon);
        let shared = Arc::new(Shared { name, daemon, child });
        Registry::hold().add(&shared);
        let incoming = Mutex::new(Incoming::new(result));
        self.running = Some(Running { shared, incoming, joined: false });
        Ok(())
    }

    /// Its pid, once it is started.
    pub fn pid(&self) -> Option<i32> {
        self.running.as_ref().map(|running| running.shared.child.pid())
    }

    /// Its name.
    pub fn get_name(&self) -> &str {
        &self.name
    }

    /// Whether it was started and has not ended.
    pub fn is_alive(&self) -> bool {
        self.running.as_ref().is_some_and(|running| {
            running.drain();
            running.shared.is_alive().unwrap_or(false)
        })
    }

    /// How it ended; `None` before.
    ///
    /// # Errors
    ///
    /// [`Error::Wait`] when this process is not its parent.
    pub fn status(&self) -> Result<Option<ExitStatus>, Error> {
        match &self.running {
            Some(running) => {
                running.drain();
                Ok(running.shared.child.try_wait()?)
            }
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
        Ok(self.started()?.child.sentinel()?)
    }

    /// Asks it to end: `SIGTERM`, which it may catch or ignore. No error if it has ended.
    ///
    /// # Errors
    ///
    /// [`Error::NotStarted`]; [`Error::Wait`] when this process is not its parent.
    pub fn terminate(&self) -> Result<(), Error> {
        Ok(self.started()?.child.signal(Signal::SIGTERM)?)
    }

    /// Ends it: `SIGKILL`. No error if it has ended.
    ///
    /// # Errors
    ///
    /// [`Error::NotStarted`]; [`Error::Wait`] when this process is not its parent.
    pub fn kill(&self) -> Result<(), Error> {
        Ok(self.started()?.child.signal(Signal::SIGKILL)?)
    }

    fn started(&self) -> Result<&Shared, Error> {
        match &self.running {
            Some(running) => Ok(&running.shared),
            None => Err(Error::NotStarted { name: self.name.clone() }),
        }
    }
}

/// How long only the end of the pipe is waited for: a short function's result and end then cost one
/// wake-up, and not two. A result larger than the pipe waits that long once.
const END_ONLY: Duration = Duration::from_millis(2);
/// How long the pipe alone is waited for, before a descriptor is opened to watch the child too.
const PIPE_ONLY: Duration = Duration::from_millis(10);

impl Running {
    fn drain(&self) {
        // An error shows again when the value is asked for.
        let _ = self.incoming.lock().unwrap_or_else(PoisonError::into_inner).drain();
    }

    /// Waits for the end, and reads meanwhile.
    fn wait(&mut self, timeout: Duration) -> Result<Option<ExitStatus>, Error> {
        let start = Instant::now();
        let left = |most: Duration| most.saturating_sub(start.elapsed());
        let incoming = self.incoming.get_mut().unwrap_or_else(PoisonError::into_inner);
        let child = &self.shared.child;
        loop {
            incoming.drain()?;
            if incoming.is_done() {
                // It sent all, or closed its end: it is about to end, or was told not to.
                return if timeout == FOREVER {
                    Ok(Some(child.wait()?))
                } else {
                    Ok(child.wait_timeout(left(timeout))?)
                };
            }
            for (events, most) in [(PollFlags::empty(), END_ONLY), (PollFlags::POLLIN, PIPE_ONLY)] {
                let alone = left(most.min(timeout));
                if !alone.is_zero() && !incoming.is_done() {
                    wait_for(&mut [PollFd::new(incoming.fd()?, events)], alone)?;
                    incoming.drain()?;
                }
            }
            if incoming.is_done() {
                continue;
            }
            if let Some(status) = child.try_wait()? {
                // What it wrote before its end is there by now; a grandchild may hold the pipe.
                incoming.drain()?;
                return Ok(Some(status));
            }
            if left(timeout).is_zero() {
                return Ok(None);
            }
            let result = PollFd::new(incoming.fd()?, PollFlags::POLLIN);
            let end = PollFd::new(child.sentinel()?, PollFlags::POLLIN);
            wait_for(&mut [result, end], left(timeout))?;
        }
    }
}

fn wait_for(fds: &mut [PollFd<'_>], timeout: Duration) -> io::Result<()> {
    // Rounded up: a poll that returns a fraction early would make its caller spin.
    let millis = i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
    match poll(fds, PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The children of this process that live, in the order of their start, as Python's
/// `multiprocessing.active_children()`. Those that have ended are reaped by this.
pub fn active_children() -> Vec<ActiveChild> {
    Registry::hold().living().into_iter().map(ActiveChild).collect()
}
