use std::sync::Arc;
use std::time::Duration;
use std::{error, fmt, io};

use process::ExitStatus;

/// Why a pool could not start, or a task has no result.
///
/// What became of the task itself is told apart: it panicked, it ended its worker by an exit, its
/// worker was killed, it took too long.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Error {
    /// A pool was asked for with no process at all.
    NoProcesses,
    /// A chunk size of zero.
    EmptyChunks,
    /// The system refused a process, or what connects it. None is left over.
    Start {
        /// What was refused.
        source: Arc<dyn error::Error + Send + Sync>,
    },
    /// The initializer failed in a worker. No task was run there, and none is any more.
    Initializer {
        /// The panic's message, or how the worker ended.
        message: String,
        /// Where: file, line and column.
        place: String,
    },
    /// The arguments can't be serialised, or not be read in the worker. Nothing was run.
    Arguments {
        /// What the serialiser says.
        reason: String,
    },
    /// The function came to its end, but its result can't be serialised, or not be read here.
    Result {
        /// What the serialiser says.
        reason: String,
    },
    /// The function panicked. Its worker goes on.
    Panicked {
        /// The worker's pid.
        pid: i32,
        /// The panic's message.
        message: String,
        /// Where: file, line and column.
        place: String,
    },
    /// The worker ended itself during the task, as by `std::process::exit`.
    Exited {
        /// The worker's pid.
        pid: i32,
        /// The exit code.
        code: i32,
    },
    /// A signal ended the worker during the task: a crash, or somebody's `kill`.
    Killed {
        /// The worker's pid.
        pid: i32,
        /// The number of the signal; `None` when the one who would know was killed, too.
        signal: Option<i32>,
    },
    /// The task took longer than it may, and its worker was killed.
    TimedOut {
        /// The worker's pid.
        pid: i32,
        /// How long it may take.
        timeout: Duration,
    },
    /// The pool was terminated or dropped before the task came to its end.
    Terminated,
    /// This process is a forked child of the one that has the pool.
    NotOurs,
    /// The pool itself has panicked, in one of the threads that use it, and takes no more tasks. It is
    /// a mistake in this library; nobody waits for ever because of it.
    Broken,
}

impl Error {
    pub(crate) fn start(source: impl error::Error + Send + Sync + 'static) -> Error {
        Error::Start { source: Arc::new(source) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoProcesses => write!(f, "a pool needs at least one process"),
            Error::EmptyChunks => write!(f, "a chunk needs at least one task"),
            Error::Start { source } => write!(f, "the pool can't start a process: {source}"),
            Error::Initializer { message, place } if place.is_empty() => {
                write!(f, "the initializer failed in a worker: {message}")
            }
            Error::Initializer { message, place } => {
                write!(f, "the initializer panicked in a worker at {place}: {message}")
            }
            Error::Arguments { reason } => {
                write!(f, "the task's arguments can't be transferred: {reason}")
            }
            Error::Result { reason } => {
                write!(f, "the task's result can't be transferred: {reason}")
            }
            Error::Panicked { pid, message, place } => {
                write!(f, "the task panicked in worker {pid} at {place}: {message}")
            }
            Error::Exited { pid, code } => {
                write!(f, "the task ended its worker {pid} with exit code {code}")
            }
            Error::Killed { pid, signal: Some(signal) } => {
                let status = ExitStatus::Signaled { signal: *signal, core_dumped: false };
                write!(f, "worker {pid} was {status} during the task")
            }
            Error::Killed { pid, signal: None } => {
                write!(f, "worker {pid} was killed during the task, together with its parent")
            }
            Error::TimedOut { pid, timeout } => {
                write!(f, "the task took longer than {timeout:?}, and its worker {pid} was killed")
            }
            Error::Terminated => write!(f, "the pool was terminated before the task had ended"),
            Error::Broken => {
                write!(f, "the pool has failed by a mistake of its own, and its workers are killed")
            }
            Error::NotOurs => write!(
                f,
                "this process is a child of the one that has the pool: make a pool of its own"
            ),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Start { source } => Some(&**source),
            _ => None,
        }
    }
}

impl From<process::Error> for Error {
    fn from(error: process::Error) -> Error {
        Error::start(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::start(error)
    }
}
