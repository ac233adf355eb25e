use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::lock::{alone, generation};
use crate::{ExitStatus, PrivateFd, WaitError};

/// A child process and the right to wait for it.
///
/// Unlike the number that `os.fork()` returns, which the kernel may give to a stranger once the
/// child was reaped, a `Child` remembers that it was: it never waits for, and never signals, anybody
/// else. Several threads may wait for it; all get the same status.
///
/// # Who reaps
///
/// A child that ended stays a *zombie* until its parent asks how it ended. [`wait`](Child::wait),
/// [`wait_timeout`](Child::wait_timeout) and [`try_wait`](Child::try_wait) ask. Dropping a `Child`
/// neither kills it nor waits for it: if it has ended it is reaped at once, otherwise at the
/// next [`fork`](crate::fork()) or drop of a `Child` after its end. A program that must not have a
/// zombie even for that long waits.
#[derive(Debug)]
pub struct Child {
    pid: i32,
    /// The process that forked it: elsewhere nothing below is touched, because a thread that held
    /// it at the fork left it shut.
    generation: u32,
    /// What reaping told. The number `pid` is the child's until then, so whoever uses the number
    /// holds this for reading, and whoever reaps holds it for writing.
    status: RwLock<Option<ExitStatus>>,
    /// Opened by the first who needs it: a tenth of the price of a child, and many are only waited
    /// for.
    pidfd: OnceLock<PrivateFd>,
}

/// Children that were dropped while they ran.
#[unsafe(link_section = ".data")]
static ABANDONED: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

impl Child {
    /// A child that was forked just now.
    pub(crate) fn new(pid: i32) -> Child {
        let (status, pidfd) = (RwLock::new(None), OnceLock::new());
        Child { pid, generation: generation(), status, pidfd }
    }

    /// The child's process id. After it was reaped, the number may be another process's.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// A descriptor that becomes readable, for poll(2), when the child ends. It can't be read.
    ///
    /// It is a *pidfd*: unlike a number, it stays this process for ever.
    ///
    /// # Errors
    ///
    /// [`WaitError::NotOurs`] in any process but the one that forked the child;
    /// [`WaitError::ReapedElsewhere`]; `EMFILE` when no descriptor is left.
    ///
    /// Source: [pidfd_open(2)](https://man7.org/linux/man-pages/man2/pidfd_open.2.html).
    pub fn sentinel(&self) -> Result<BorrowedFd<'_>, WaitError> {
        self.watch(&*self.read()?)
    }

    /// Waits until the child has ended and reaps it. Signals that arrive meanwhile change nothing.
    ///
    /// The wait has no deadline, because a child may rightly run for ever: see
    /// [`wait_timeout`](Child::wait_timeout).
    ///
    /// # Errors
    ///
    /// [`WaitError`] when the child is not this process's to wait for: it was forked by another
    /// one, or somebody else has reaped it (a `waitpid(-1)`, an ignored `SIGCHLD`).
    pub fn wait(&self) -> Result<ExitStatus, WaitError> {
        loop {
            let known = self.read()?;
            if let Some(status) = *known {
                return Ok(status);
            }
            // In a process of one thread nobody else asks meanwhile: one call waits and reaps.
            let mut options = libc::WEXITED;
            if !alone() {
                // Looks, and leaves it a zombie: reaped here, the status would be this thread's alone.
                match waitid(libc::P_PID, self.pid, libc::WEXITED | libc::WNOWAIT) {
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(errno) => return Err(self.error(errno)),
                }
                options |= libc::WNOHANG;
            }
            drop(known);
            if let Some(status) = self.reap(options)? {
                return Ok(status);
            }
        }
    }

    /// Waits at most that long; `None` if the child has not ended by then, and a later wait
    /// still gets its status.
    ///
    /// # Errors
    ///
    /// As [`wait`](Child::wait).
    pub fn wait_timeout(&self, timeout: Duration) -> Result<Option<ExitStatus>, WaitError> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(Some(status));
            }
            let left = match deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => Duration::MAX,
            };
            if left.is_zero() {
                return Ok(None);
            }
            // Rounded up: a poll that returns a fraction early would make this loop spin.
            let millis = i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
            let mut end = [PollFd::new(self.sentinel()?, PollFlags::POLLIN)];
            match poll(&mut end, PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(self.error(errno)),
            }
        }
    }

    /// Reaps the child if it has ended, and does not wait.
    ///
    /// # Errors
    ///
    /// As [`wait`](Child::wait).
    pub fn try_wait(&self) -> Result<Option<ExitStatus>, WaitError> {
        let known = self.read()?;
        if known.is_some() {
            return Ok(*known);
        }
        let ended = waitid(libc::P_PID, self.pid, libc::WEXITED | libc::WNOWAIT | libc::WNOHANG);
        if ended.map_err(|errno| self.error(errno))?.is_none() {
            return Ok(None);
        }
        drop(known);
        self.reap(libc::WEXITED | libc::WNOHANG)
    }

    /// Sends a signal. A child that has ended gets none, and neither does a stranger.
    ///
    /// # Errors
    ///
    /// [`WaitError::NotOurs`] in any process but the one that forked the child;
    /// [`WaitError::NotSent`] when the kernel refuses. That the child has ended is no error.
    ///
    /// Source: [pidfd_send_signal(2)](https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html).
    pub fn signal(&self, signal: Signal) -> Result<(), WaitError> {
        let known = self.read()?;
        if known.is_some() {
            return Ok(());
        }
        let fd = self.watch(&known)?.as_raw_fd();
        // SAFETY: a valid descriptor, a valid signal, and no structure for the kernel to read.
        let sent = unsafe {
            let none = std::ptr::null::<libc::siginfo_t>();
            libc::syscall(libc::SYS_pidfd_send_signal, fd, signal as libc::c_int, none, 0)
        };
        match Errno::result(sent) {
            Ok(_) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(WaitError::NotSent { pid: self.pid, signal, source: errno.into() }),
        }
    }

    /// Sends a signal to the process group that the child leads, if it leads one (see
    /// [`Spawn::group`](crate::Spawn::group)): to the child, and to all that it started and that did
    /// not leave the group. The number is the group's until the child was reaped; after that, and
    /// where no such group exists, nobody gets a signal.
    ///
    /// # Errors
    ///
    /// As [`signal`](Child::signal).
    ///
    /// Source: [kill(2)](https://man7.org/linux/man-pages/man2/kill.2.html).
    pub fn signal_group(&self, signal: Signal) -> Result<(), WaitError> {
        let known = self.read()?;
        if known.is_some() {
            return Ok(());
        }
        // Reaped behind our back, the number may be another group's.
        let unwaited = libc::WEXITED | libc::WNOWAIT | libc::WNOHANG;
        waitid(libc::P_PID, self.pid, unwaited).map_err(|errno| self.error(errno))?;
        match killpg(Pid::from_raw(self.pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(WaitError::NotSent { pid: self.pid, signal, source: errno.into() }),
        }
    }

    /// Holds on to the number, after a look at whose it is.
    fn read(&self) -> Result<RwLockReadGuard<'_, Option<ExitStatus>>, WaitError> {
        if self.generation != generation() {
            return Err(WaitError::NotOurs { pid: self.pid });
        }
        Ok(self.status.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The pidfd, opened if nobody has yet. `known` is held by the caller.
    fn watch(&self, known: &Option<ExitStatus>) -> Result<BorrowedFd<'_>, WaitError> {
        let pidfd = match self.pidfd.get() {
            Some(pidfd) => pidfd,
            None => {
                let open = || Ok([if known.is_none() { open_child(self.pid)? } else { ended()? }]);
                let [pidfd] = PrivateFd::open(open).map_err(|error| self.error(error))?;
                // If another thread was faster, ours is closed again.
                self.pidfd.get_or_init(|| pidfd)
            }
        };
        pidfd.fd().map_err(|error| self.error(error))
    }

    /// Called after the child's end, when those who hold the number let go of it at once, or where
    /// nobody else could hold it. `None` after a signal.
    fn reap(&self, options: i32) -> Result<Option<ExitStatus>, WaitError> {
        let mut status = self.status.write().unwrap_or_else(PoisonError::into_inner);
        if status.is_none() {
            match waitid(libc::P_PID, self.pid, options) {
                Ok(ended) => *status = ended,
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(self.error(errno)),
            }
        }
        Ok(*status)
    }

    fn error(&self, error: impl Into<io::Error>) -> WaitError {
        let (pid, source) = (self.pid, error.into());
        match source.raw_os_error() {
            Some(libc::ECHILD | libc::ESRCH) => WaitError::ReapedElsewhere { pid },
            _ => WaitError::Os { pid, source },
        }
    }
}

/// Takes over a child that was started as another program, to be watched as one that was forked.
impl From<std::process::Child> for Child {
    fn from(child: std::process::Child) -> Child {
        Child::new(child.id().cast_signed())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let status = self.status.get_mut().unwrap_or_else(PoisonError::into_inner);
        if status.is_none() && self.generation == generation() {
            let mut abandoned = Abandoned::hold();
            abandoned.0.insert(self.pid);
            abandoned.reap();
        }
    }
}

/// The children that were dropped while they ran, held: no other thread reaps them meanwhile.
pub(crate) struct Abandoned(MutexGuard<'static, BTreeSet<i32>>);

impl Abandoned {
    pub(crate) fn hold() -> Abandoned {
        Abandoned(ABANDONED.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reaps those that have ended by now.
    pub(crate) fn reap(&mut self) {
        // An error means that it is no child of ours, because somebody else reaped it or because this
        // is a forked child, and it is its parent's: nothing is left to reap.
        self.0.retain(|&pid| waitid(libc::P_PID, pid, libc::WEXITED | libc::WNOHANG) == Ok(None));
    }

    /// A new child has the number: somebody else reaped the one that had it before.
    pub(crate) fn forget(&mut self, pid: i32) {
        self.0.remove(&pid);
    }
}

/// Source: [waitid(2)](https://man7.org/linux/man-pages/man2/waitid.2.html).
fn waitid(kind: libc::idtype_t, id: i32, options: i32) -> nix::Result<Option<ExitStatus>> {
    // SAFETY: all zero is a valid siginfo_t, and the one that stands for "nothing has ended".
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: `info` is valid for writing, for the length of the call.
    Errno::result(unsafe { libc::waitid(kind, id.cast_unsigned(), &raw mut info, options) })?;
    // SAFETY: waitid fills in this field, or leaves it zero.
    let pid = unsafe { info.si_pid() };
    // SAFETY: as above.
    let status = unsafe { info.si_status() };
    Ok(match info.si_code {
        _ if pid == 0 => None,
        libc::CLD_EXITED => Some(ExitStatus::Exited(status)),
        code => {
            let core_dumped = code == libc::CLD_DUMPED;
            Some(ExitStatus::Signaled { signal: status, core_dumped })
        }
    })
}

/// Source: [pidfd_open(2)](https://man7.org/linux/man-pages/man2/pidfd_open.2.html).
pub(crate) fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes numbers only.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel gave us this descriptor just now, close-on-exec, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as libc::c_int) })
}

fn open_child(pid: i32) -> io::Result<OwnedFd> {
    let pidfd = pidfd_open(pid)?;
    // If somebody else has reaped the child, the number may be a stranger's: no child of ours.
    let unwaited = libc::WEXITED | libc::WNOWAIT | libc::WNOHANG;
    waitid(libc::P_PIDFD, pidfd.as_raw_fd(), unwaited)?;
    Ok(pidfd)
}

/// A descriptor that is readable from the start, as the pidfd of a process that has ended is.
pub(crate) fn ended() -> io::Result<OwnedFd> {
    Ok(EventFd::from_value_and_flags(1, EfdFlags::EFD_CLOEXEC)?.into())
}
