use std::fmt;

/// Why a [`Local`](crate::Local) has no value for this thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalError {
    /// The thread is ending: its values are being dropped, this one was already, or never was, and
    /// none is made any more.
    Ending,
    /// The initialiser asks for the value that it is about to make.
    Recursive,
}

impl fmt::Display for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LocalError::Ending => {
                "can't get a thread's value: the thread is ending and makes no new ones; in a \
                 destructor use `try_with`"
            }
            LocalError::Recursive => {
                "can't get a thread's value: its initialiser asks for the value that it is to make"
            }
        })
    }
}

impl std::error::Error for LocalError {}
