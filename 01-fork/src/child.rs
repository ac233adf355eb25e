use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use crate::{ExitStatus, ForkError, PrivateFd, WaitError};

/// A child process and the right to wait for it.
///
/// Unlike the number that `os.fork()` returns, which the kernel may give to a stranger once the
/// child was reaped, a `Child` holds a descriptor of the process itself (a *pidfd*): it never waits
/// for, and never signals, anybody else. Several threads may wait for it; all get the same status.
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
    pidfd: PrivateFd,
    /// Set by the one caller that reaped; what all others then get.
    status: Mutex<Option<ExitStatus>>,
}

/// Children that were dropped while they ran.
static ABANDONED: Mutex<Vec<PrivateFd>> = Mutex::new(Vec::new());

impl Child {
    /// Opens the pidfd of a child that was forked just now.
    pub(crate) fn watch(pid: i32) -> Result<Child, ForkError> {
        match PrivateFd::open(|| Ok([pidfd_open(pid)?])) {
            Ok([pidfd]) => Ok(Child { pid, pidfd, status: Mutex::new(None) }),
            Err(error) => {
                // A child that can't be watched would outlive the error unseen. After ESRCH it has
                // been reaped already, and by now the number may be a stranger's.
                if error.raw_os_error() != Some(libc::ESRCH) {
                    let raw = nix::unistd::Pid::from_raw(pid);
                    let _ = nix::sys::signal::kill(raw, Signal::SIGKILL);
                    while nix::sys::wait::waitpid(raw, None) == Err(Errno::EINTR) {}
                }
                Err(ForkError::unwatched(error))
            }
        }
    }

    /// The child's process id. After it was reaped, the number may be another process's.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// A descriptor that becomes readable, for poll(2), when the child ends. It can't be read.
    ///
    /// # Errors
    ///
    /// [`WaitError::NotOurs`] in any process but the one that forked the child.
    pub fn sentinel(&self) -> Result<BorrowedFd<'_>, WaitError> {
        self.pidfd.fd().map_err(|_| WaitError::NotOurs { pid: self.pid })
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
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            // Looks and leaves it a zombie: reaped here, the status would be this thread's alone.
            match waitid(self.sentinel()?, libc::WEXITED | libc::WNOWAIT) {
                // Another thread was faster: it has left the status for all.
                Ok(_) | Err(Errno::EINTR | Errno::ECHILD) => {}
                Err(errno) => return Err(self.error(errno)),
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
        // Before the lock: in a child, the thread that held it at the fork will never open it.
        let sentinel = self.sentinel()?;
        // Held while the kernel is asked: only one caller may reap.
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if status.is_none() {
            *status = reap(sentinel).map_err(|errno| self.error(errno))?;
        }
        Ok(*status)
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
        let fd = self.sentinel()?.as_raw_fd();
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

    fn error(&self, errno: Errno) -> WaitError {
        match errno {
            Errno::ECHILD => WaitError::ReapedElsewhere { pid: self.pid },
            errno => WaitError::Os { pid: self.pid, source: errno.into() },
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let status = self.status.get_mut().unwrap_or_else(PoisonError::into_inner);
        if status.is_none() && self.pidfd.fd().is_ok() {
            let mut abandoned = Abandoned::hold();
            abandoned.0.push(self.pidfd.take());
            abandoned.reap();
        }
    }
}

/// The children that were dropped while they ran, held: no other thread reaps them meanwhile.
pub(crate) struct Abandoned(MutexGuard<'static, Vec<PrivateFd>>);

impl Abandoned {
    pub(crate) fn hold() -> Abandoned {
        Abandoned(ABANDONED.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reaps those that have ended by now.
    pub(crate) fn reap(&mut self) {
        // An error means that it is no child of ours any more: nothing is left to reap.
        self.0.retain(|pidfd| pidfd.fd().is_ok_and(|fd| reap(fd) == Ok(None)));
    }

    /// Called once in a new child: they are its parent's.
    pub(crate) fn enter_child(&mut self) {
        self.0.clear();
    }
}

/// Reaps the process behind a pidfd if it has ended.
fn reap(pidfd: BorrowedFd<'_>) -> nix::Result<Option<ExitStatus>> {
    waitid(pidfd, libc::WEXITED | libc::WNOHANG)
}

/// Source: [waitid(2)](https://man7.org/linux/man-pages/man2/waitid.2.html).
fn waitid(pidfd: BorrowedFd<'_>, options: libc::c_int) -> nix::Result<Option<ExitStatus>> {
    // SAFETY: all zero is a valid siginfo_t, and the one that stands for "nothing has ended".
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let id = pidfd.as_raw_fd().cast_unsigned();
    // SAFETY: `info` is valid for writing, for the length of the call.
    Errno::result(unsafe { libc::waitid(libc::P_PIDFD, id, &raw mut info, options) })?;
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
fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes numbers only.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel gave us this descriptor just now, close-on-exec, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as libc::c_int) })
}
