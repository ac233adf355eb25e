use std::sync::Arc;
use std::{error, fmt};

use crate::Error;
use crate::panics::Panic;

/// Why a pool could not start, or a task has no value.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PoolError {
    /// A pool was asked for with no thread at all.
    NoThreads,
    /// A chunk size of zero.
    EmptyChunks,
    /// The system refused one of the threads. Those that had begun end.
    Start {
        /// What was refused.
        source: Arc<Error>,
    },
    /// The task panicked. Its thread, and all other tasks, go on.
    Panicked {
        /// The panic's message.
        message: String,
        /// Where: file, line and column.
        place: String,
    },
    /// The pool was terminated or dropped before the task was begun.
    Terminated,
    /// The value was given out before: it can be had once.
    GivenOut,
}

impl From<Panic> for PoolError {
    fn from(Panic { message, place }: Panic) -> PoolError {
        PoolError::Panicked { message, place }
    }
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PoolError::NoThreads => write!(f, "a pool needs at least one thread"),
            PoolError::EmptyChunks => write!(f, "a chunk needs at least one task"),
            PoolError::Start { source } => write!(f, "the pool can't start a thread: {source}"),
            PoolError::Panicked { message, place } => {
                write!(f, "the task panicked at {place}: {message}")
            }
            PoolError::Terminated => {
                write!(f, "the pool was terminated before the task was begun")
            }
            PoolError::GivenOut => write!(f, "the value of the task was given out before"),
        }
    }
}

impl error::Error for PoolError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            PoolError::Start { source } => Some(&**source),
            _ => None,
        }
    }
}
