use std::error::Error;
use std::{fmt, io};

/// Why a message was not put or sent. It is where it was: both take a reference.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// No room by then.
    Full,
    /// Nobody will ever take it: the queue was closed, or the last one who could is gone.
    Closed,
    /// The process that the wait depends on has ended, and there is no room.
    PeerEnded,
    /// It does not fit, not even alone.
    TooLarge {
        /// Its bytes.
        size: usize,
        /// The most bytes that fit.
        most: usize,
    },
    /// More descriptors than the kernel takes with one message.
    TooManyDescriptors {
        /// How many.
        count: usize,
        /// The most.
        most: usize,
    },
    /// It can't be turned into bytes.
    Encode(postcard::Error),
    /// This end was not handed to this process: see [`fork_with`](crate::fork_with).
    NotHere,
    /// Any other error of the system.
    Os(io::Error),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Full => f.write_str("no room for a message: it was not taken in time"),
            SendError::Closed => {
                f.write_str("nobody is left who could take a message: closed, or the last is gone")
            }
            SendError::PeerEnded => f.write_str(
                "no room for a message, and the process that should make some has ended",
            ),
            SendError::TooLarge { size, most } => write!(
                f,
                "a message of {size} bytes does not fit into {most}: make the queue with more memory"
            ),
            SendError::TooManyDescriptors { count, most } => {
                write!(f, "{count} descriptors with one message, and the most are {most}")
            }
            SendError::Encode(error) => write!(f, "a message can't be turned into bytes: {error}"),
            SendError::NotHere => f.write_str(NOT_HERE),
            SendError::Os(error) => write!(f, "can't send a message: {error}"),
        }
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SendError::Encode(error) => Some(error),
            SendError::Os(error) => Some(error),
            _ => None,
        }
    }
}

/// Why there is no message.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecvError {
    /// None came by then.
    Empty,
    /// There is none, and there never will be one: the end of the stream.
    Closed,
    /// There is none, and the process that the wait depends on has ended.
    PeerEnded,
    /// One was taken, and its bytes, which are here, are no value of this type.
    Decode {
        /// The message.
        bytes: Vec<u8>,
        /// What is wrong with it.
        source: postcard::Error,
    },
    /// One was taken, and what came with it could not be kept: this process has no free descriptor.
    NoDescriptors,
    /// This end was not handed to this process: see [`fork_with`](crate::fork_with).
    NotHere,
    /// Any other error of the system.
    Os(io::Error),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvError::Empty => f.write_str("no message came in time"),
            RecvError::Closed => f.write_str(
                "there is no message, and nobody is left who could send one: closed, or the last is gone",
            ),
            RecvError::PeerEnded => {
                f.write_str("there is no message, and the process that should send one has ended")
            }
            RecvError::Decode { bytes, source } => write!(
                f,
                "a message of {} bytes is no value of the type that is asked for: {source}",
                bytes.len()
            ),
            RecvError::NoDescriptors => f.write_str(
                "a message came with descriptors, and this process has no room for them (`ulimit -n`)",
            ),
            RecvError::NotHere => f.write_str(NOT_HERE),
            RecvError::Os(error) => write!(f, "can't receive a message: {error}"),
        }
    }
}

impl Error for RecvError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            RecvError::Decode { source, .. } => Some(source),
            RecvError::Os(error) => Some(error),
            _ => None,
        }
    }
}

const NOT_HERE: &str = "this end belongs to the parent of this process, which did not hand it over \
                        (use ipc::fork_with)";

/// Why it is not so that all tasks are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskError {
    /// `task_done` was called once more than something was got.
    TooOften,
    /// Some were not done by then.
    TimedOut {
        /// How many.
        unfinished: u32,
    },
    /// Some are not done, and nobody is left who could do them, or the process that the wait depends
    /// on has ended.
    Abandoned {
        /// How many.
        unfinished: u32,
    },
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TaskError::TooOften => {
                f.write_str("task_done was called once more than something was got")
            }
            TaskError::TimedOut { unfinished } => {
                write!(f, "{unfinished} tasks were not done in time")
            }
            TaskError::Abandoned { unfinished } => {
                write!(f, "{unfinished} tasks are not done, and who should have done them is gone")
            }
        }
    }
}

impl Error for TaskError {}

/// Why a lock was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody held it until then.
    TimedOut,
    /// This very thread holds it: the wait would have been for itself.
    HeldHere,
    /// The process that the wait depends on has ended.
    PeerEnded,
    /// Somebody wrote over it.
    Broken,
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LockError::TimedOut => "it was held by others for all of the time",
            LockError::HeldHere => "this thread holds the lock already, and would wait for itself",
            LockError::PeerEnded => "the process that the wait depends on has ended",
            LockError::Broken => "somebody wrote over the lock's memory",
        })
    }
}

impl Error for LockError {}
