use std::{error, fmt, io};

use fork::{ExitStatus, ForkError, WaitError};

/// Why a process could not be started, or did not give its result.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The arguments can't be serialised. Nothing was started.
    Arguments {
        /// The process's name.
        name: String,
        /// What the serialiser says.
        reason: String,
    },
    /// `start` was called a second time: make a new `Process`.
    AlreadyStarted {
        /// The process's name.
        name: String,
    },
    /// It was asked for something that only a started process has.
    NotStarted {
        /// The process's name.
        name: String,
    },
    /// [`init`](crate::init) was not called, so a spawned child would run the whole program again.
    NoInit {
        /// The process's name.
        name: String,
    },
    /// The system refused a new process.
    Fork(ForkError),
    /// The system refused to execute this program again, or to take that many descriptors along.
    Spawn {
        /// The process's name.
        name: String,
        /// What was refused.
        source: io::Error,
    },
    /// Its function panicked.
    Panicked {
        /// The process's name.
        name: String,
        /// Its pid.
        pid: i32,
        /// The panic's message.
        message: String,
        /// Where: file, line and column.
        place: String,
    },
    /// It ended without a result: killed, or by an `exit` in the middle of its function.
    Ended {
        /// The process's name.
        name: String,
        /// Its pid.
        pid: i32,
        /// How it ended.
        status: ExitStatus,
    },
    /// It ended by itself, but there is no value: its arguments could not be read there, the value has
    /// no bytes, or there was no room for them, or they could not be read here.
    Result {
        /// The process's name.
        name: String,
        /// Which of it, and what the serialiser or the system says.
        reason: String,
    },
    /// The result was given out before: a value can be had once.
    AlreadyJoined {
        /// The process's name.
        name: String,
    },
    /// Its end can't be told.
    Wait(WaitError),
    /// There was no descriptor, or no memory, for what goes between the two. Nothing was started; or,
    /// at a join, nothing is lost, and it can be tried again.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Arguments { name, reason } => {
                write!(f, "the arguments of process {name} can't be serialised: {reason}")
            }
            Error::AlreadyStarted { name } => {
                write!(f, "process {name} was started before: make a new one for a second run")
            }
            Error::NotStarted { name } => {
                write!(f, "process {name} was not started: call start() first")
            }
            Error::NoInit { name } => write!(
                f,
                "process {name} can't be spawned: call process::init() first in main, where the \
                 child begins its work"
            ),
            Error::Fork(error) => error.fmt(f),
            Error::Spawn { name, source } => write!(f, "process {name} can't be spawned: {source}"),
            Error::Panicked { name, pid, message, place } => {
                write!(f, "process {name} ({pid}) panicked at {place}: {message}")
            }
            Error::Ended { name, pid, status } => {
                write!(f, "process {name} ({pid}) ended without a result: {status}")
            }
            Error::Result { name, reason } => {
                write!(f, "the result of process {name} can't be transferred: {reason}")
            }
            Error::AlreadyJoined { name } => {
                write!(f, "the result of process {name} was given out before")
            }
            Error::Wait(error) => error.fmt(f),
            Error::Io(error) => {
                write!(f, "no descriptor or memory for a process's answer: {error}")
            }
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Fork(error) => Some(error),
            Error::Spawn { source, .. } | Error::Io(source) => Some(source),
            Error::Wait(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ForkError> for Error {
    fn from(error: ForkError) -> Error {
        Error::Fork(error)
    }
}

impl From<WaitError> for Error {
    fn from(error: WaitError) -> Error {
        Error::Wait(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Io(error)
    }
}
