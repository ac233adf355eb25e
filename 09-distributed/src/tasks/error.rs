use std::fmt;

use crate::{CallError, ConnectError};

/// A task queue did not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum QueueError {
    /// There is not room for all of these tasks, and none was put: wait for some to be done.
    Full,
    /// A body is longer than this queue takes, and none of these tasks was put: this is which, and by how much.
    TooLong(String),
    /// The server was restarted, and has begun anew: what it had in memory is gone, tasks, leases and results. The call was
    /// not done. The next one will be; who still wants his tasks done puts them again.
    Forgotten,
    /// The call failed.
    Call(CallError),
    /// The engine can't be reached any more.
    Connect(ConnectError),
    /// Another engine than this lesson's server could not do it, or can't be reached any more.
    Engine {
        /// Where it is.
        server: String,
        /// What it said, or what was seen of it.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine's answer is none.
    Answer(String),
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueueError::Full => write!(f, "the queue has no room for these tasks"),
            QueueError::Forgotten => write!(
                f,
                "the queue's server has begun anew: tasks, leases and results of before are gone; put again what is \
                 still to be done"
            ),
            QueueError::TooLong(text) => write!(f, "{text}"),
            QueueError::Call(error) => write!(f, "{error}"),
            QueueError::Connect(error) => write!(f, "{error}"),
            QueueError::Engine { server, error } => {
                write!(f, "the task queue in the server at {server}: {error}")
            }
            QueueError::Answer(text) => write!(f, "the queue answered with {text}"),
        }
    }
}

impl std::error::Error for QueueError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            QueueError::Call(error) => Some(error),
            QueueError::Connect(error) => Some(error),
            QueueError::Engine { error, .. } => Some(&**error),
            QueueError::Full
            | QueueError::TooLong(_)
            | QueueError::Forgotten
            | QueueError::Answer(_) => None,
        }
    }
}

impl From<ConnectError> for QueueError {
    fn from(error: ConnectError) -> QueueError {
        QueueError::Connect(error)
    }
}
