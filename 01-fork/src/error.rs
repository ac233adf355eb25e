use std::error::Error;
use std::{fmt, fs, io};

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::Signal;

/// Why no child was made.
#[derive(Debug)]
pub struct ForkError {
    attempt: &'static str,
    source: io::Error,
    /// The limit that was probably met, with its value and what to do.
    hint: Option<String>,
}

impl ForkError {
    pub(crate) fn refused(source: io::Error) -> ForkError {
        ForkError::of("can't fork", source)
    }

    pub(crate) fn not_spawned(source: io::Error) -> ForkError {
        ForkError::of("can't start the program", source)
    }

    fn of(attempt: &'static str, source: io::Error) -> ForkError {
        let hint = match source.raw_os_error() {
            Some(libc::EAGAIN) => Some(process_limit()),
            Some(libc::ENOMEM) => Some("not enough memory for the child's page tables".to_owned()),
            _ => None,
        };
        ForkError { attempt, source, hint }
    }

    pub(crate) fn not_handed(index: usize, count: usize) -> ForkError {
        let hint = format!(
            "number {} of {count} was opened by another process: in a child, a PrivateFd of its \
             parent owns nothing",
            index + 1
        );
        ForkError {
            attempt: "can't hand a descriptor to a child, so nothing was forked",
            source: io::Error::from_raw_os_error(libc::EBADF),
            hint: Some(hint),
        }
    }

    /// The system's error number, such as `EAGAIN`.
    pub fn raw_os_error(&self) -> Option<i32> {
        self.source.raw_os_error()
    }

    /// The limit that was probably met, with its value, and what to do.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for ForkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.attempt, self.source)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl Error for ForkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// EAGAIN has one number and several causes (fork(2), ERRORS): name the limits with their values.
fn process_limit() -> String {
    let of_user = match getrlimit(Resource::RLIMIT_NPROC) {
        Ok((soft, _)) if soft == libc::RLIM_INFINITY => "unlimited".to_owned(),
        Ok((soft, _)) => soft.to_string(),
        Err(_) => "unknown".to_owned(),
    };
    let of_system = fs::read_to_string("/proc/sys/kernel/threads-max").unwrap_or_default();
    format!(
        "a limit on processes is reached: RLIMIT_NPROC, processes and threads of this user, is \
         {of_user} (`ulimit -u`); threads of the whole system, {}; or the cgroup's pids.max",
        of_system.trim()
    )
}

/// Why a child's end could not be told, or a signal not be sent to it.
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError {
    /// This process is not the one that forked the child: only a parent can wait, or signal through
    /// the [`Child`](crate::Child).
    NotOurs {
        /// The child's process id.
        pid: i32,
    },
    /// Somebody else in this process took the status, or `SIGCHLD` is ignored.
    ReapedElsewhere {
        /// The child's process id.
        pid: i32,
    },
    /// Any other error of the system.
    Os {
        /// The child's process id.
        pid: i32,
        /// The error of waitid(2) or poll(2).
        source: io::Error,
    },
    /// The kernel refused to send a signal, such as `EPERM` to a child of another user.
    NotSent {
        /// The child's process id.
        pid: i32,
        /// What was to be sent.
        signal: Signal,
        /// The error of pidfd_send_signal(2).
        source: io::Error,
    },
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitError::NotOurs { pid } => {
                write!(
                    f,
                    "process {pid} is not ours to wait for or to signal: another one forked it"
                )
            }
            WaitError::ReapedElsewhere { pid } => write!(
                f,
                "can't tell how process {pid} ended: it was reaped elsewhere (look for \
                 waitpid(-1), or an ignored SIGCHLD)"
            ),
            WaitError::Os { pid, source } => write!(f, "can't wait for process {pid}: {source}"),
            WaitError::NotSent { pid, signal, source } => {
                write!(f, "can't send {signal} to process {pid}: {source}")
            }
        }
    }
}

impl Error for WaitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            WaitError::Os { source, .. } | WaitError::NotSent { source, .. } => Some(source),
            _ => None,
        }
    }
}
