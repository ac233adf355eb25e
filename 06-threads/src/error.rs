use std::{error, fmt, fs, io};

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use crate::panics::Panic;

/// Why a thread could not be started, or did not give its value.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// `start` was called a second time: make a new `Thread`.
    AlreadyStarted {
        /// The thread's name.
        name: String,
    },
    /// It was asked for something that only a started thread has.
    NotStarted {
        /// The thread's name.
        name: String,
    },
    /// The name has a zero byte in it, which no name of the system can have.
    Name {
        /// The thread's name.
        name: String,
    },
    /// The system refused a new thread. It can be started again later: its function is still there.
    Refused {
        /// The thread's name.
        name: String,
        /// The error of pthread_create(3).
        source: io::Error,
    },
    /// Its function panicked.
    Panicked {
        /// The thread's name.
        name: String,
        /// The panic's message.
        message: String,
        /// Where: file, line and column.
        place: String,
    },
    /// The value was given out before: it can be had once.
    AlreadyJoined {
        /// The thread's name.
        name: String,
    },
    /// A thread can't wait for its own end.
    Itself {
        /// The thread's name.
        name: String,
    },
}

impl Error {
    pub(crate) fn panicked(name: &str, panic: Panic) -> Error {
        let Panic { message, place } = panic;
        Error::Panicked { name: name.to_owned(), message, place }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::AlreadyStarted { name } => {
                write!(f, "thread {name} was started before: make a new one for a second run")
            }
            Error::NotStarted { name } => {
                write!(f, "thread {name} was not started: call start() first")
            }
            Error::Name { name } => {
                write!(f, "thread {name:?} can't be started: its name has a zero byte in it")
            }
            Error::Refused { name, source } => {
                write!(f, "thread {name} can't be started: {source}")?;
                if source.raw_os_error() == Some(libc::EAGAIN) { limits(f) } else { Ok(()) }
            }
            Error::Panicked { name, message, place } => {
                write!(f, "thread {name} panicked at {place}: {message}")
            }
            Error::AlreadyJoined { name } => {
                write!(f, "the value of thread {name} was given out before")
            }
            Error::Itself { name } => write!(f, "thread {name} can't wait for its own end"),
        }
    }
}

/// EAGAIN has one number and several causes (pthread_create(3), ERRORS): name them, with values.
fn limits(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let of_user = match getrlimit(Resource::RLIMIT_NPROC) {
        Ok((soft, _)) if soft == RLIM_INFINITY => "unlimited".to_owned(),
        Ok((soft, _)) => soft.to_string(),
        Err(_) => "unknown".to_owned(),
    };
    let of_system = fs::read_to_string("/proc/sys/kernel/threads-max").unwrap_or_default();
    write!(
        f,
        " (no memory for its stack, or a limit on threads is reached: RLIMIT_NPROC, processes and \
         threads of this user, is {of_user} (`ulimit -u`); threads of the whole system, {}; or the \
         cgroup's pids.max)",
        of_system.trim()
    )
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Refused { source, .. } => Some(source),
            _ => None,
        }
    }
}
