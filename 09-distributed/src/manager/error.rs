use std::fmt;
use std::io;
use std::net::SocketAddr;

use crate::pickle::{Class, PickleError, Value};
use crate::wire::{AuthError, FrameError};

/// A server could not begin, or go on.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// None of the addresses can be had.
    Bind {
        /// The addresses.
        wanted: Vec<SocketAddr>,
        /// Who has one of them, if that is the reason and can be known.
        occupant: Option<String>,
        /// What the kernel said of the last one.
        error: io::Error,
    },
    /// The kernel refused something else.
    Run(io::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServeError::Bind { wanted, occupant, error } => {
                write!(f, "can't serve on")?;
                wanted.iter().try_for_each(|address| write!(f, " {address}"))?;
                write!(f, ": {error}")?;
                match occupant {
                    Some(occupant) => write!(f, ", by {occupant}"),
                    None => Ok(()),
                }
            }
            ServeError::Run(error) => write!(f, "can't serve: {error}"),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ServeError::Bind { error, .. } | ServeError::Run(error) => Some(error),
        }
    }
}

/// There is no connection to a server, or it is one that doesn't know us.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// No connection to this address.
    Unreachable(SocketAddr, io::Error),
    /// No TLS that both sides trust.
    Tls(SocketAddr, io::Error),
    /// The key was wrong, here or there.
    Auth(SocketAddr, AuthError),
    /// It went wrong after that.
    Call(SocketAddr, CallError),
}

impl ConnectError {
    /// Whether it may go better in a moment: nobody is there, or somebody has just gone.
    pub fn is_temporary(&self) -> bool {
        match self {
            ConnectError::Unreachable(..) => true,
            ConnectError::Tls(..) | ConnectError::Auth(..) => false,
            ConnectError::Call(_, error) => matches!(error, CallError::Lost(_) | CallError::Silent),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Unreachable(address, error) => {
                write!(f, "can't connect to a server at {address}: {error}")
            }
            ConnectError::Tls(address, error) => write!(
                f,
                "no TLS with the server at {address}: {error}; has it TLS, and each side its own file of the same pair?"
            ),
            ConnectError::Auth(address, error) => {
                write!(f, "the server at {address} and this client don't know each other: {error}")
            }
            ConnectError::Call(address, error) => write!(f, "the server at {address}: {error}"),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ConnectError::Unreachable(_, error) | ConnectError::Tls(_, error) => Some(error),
            ConnectError::Auth(_, error) => Some(error),
            ConnectError::Call(_, error) => Some(error),
        }
    }
}

/// A call did not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// `queue.Empty`: nothing was there in time.
    Empty,
    /// `queue.Full`: there was no room in time.
    Full,
    /// Another exception, raised by the method.
    Raised(Class, Vec<Value>),
    /// The server could not do it, and says why.
    Refused(String),
    /// The connection broke. Whether the call was done is not known.
    Lost(io::Error),
    /// The server did not answer in time. Whether the call was done is not known.
    Silent,
    /// The answer is none that can be read, or the value is not of the wanted type.
    Pickle(PickleError),
    /// The answer is longer than what is taken.
    Frame(FrameError),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Empty => write!(f, "the queue is empty"),
            CallError::Full => write!(f, "the queue is full"),
            CallError::Raised(class, parts) => {
                write!(f, "{}", class.name().1)?;
                match parts.first() {
                    Some(Value::Str(text)) => write!(f, ": {text}"),
                    _ => Ok(()),
                }
            }
            CallError::Refused(text) => write!(f, "the server refused: {}", text.trim_end()),
            CallError::Lost(error) => write!(f, "the connection to the server broke: {error}"),
            CallError::Silent => write!(f, "the server does not answer"),
            CallError::Pickle(error) => write!(f, "{error}"),
            CallError::Frame(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CallError::Lost(error) => Some(error),
            CallError::Pickle(error) => Some(error),
            CallError::Frame(error) => Some(error),
            _ => None,
        }
    }
}

impl From<PickleError> for CallError {
    fn from(error: PickleError) -> CallError {
        CallError::Pickle(error)
    }
}
