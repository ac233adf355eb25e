use std::fmt;

/// A pickle was refused, or a value does not fit the type that it is wanted as.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PickleError {
    /// It ends too early.
    Truncated,
    /// It goes on after its end.
    Trailing,
    /// A protocol of the future.
    Protocol(u8),
    /// An opcode that no plain value needs.
    Opcode(u8),
    /// A class or function that is not in the table: in Python it would be imported, then called.
    Global(String),
    /// It takes more from the stack than there is.
    Underflow,
    /// More values, or more text, than one message may hold.
    TooMany,
    /// Nested deeper than a hundred levels, or inside itself.
    TooDeep,
    /// This is not what it should be.
    Malformed(&'static str),
    /// A sound value, and not of the wanted type: says what was wanted and what came.
    Type(String),
}

impl fmt::Display for PickleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PickleError::Truncated => write!(f, "a pickle that ends too early"),
            PickleError::Trailing => write!(f, "a pickle that goes on after its end"),
            PickleError::Protocol(number) => {
                write!(f, "a pickle of protocol {number}: 0 to 5 are known")
            }
            PickleError::Opcode(code) => {
                write!(f, "a pickle with opcode {code:#04x}, which no plain value needs")
            }
            PickleError::Global(name) => write!(
                f,
                "a pickle that names {name:?}: only None, bool, int, float, str, bytes, list, tuple, dict and set \
                 are taken, and nothing is imported or called"
            ),
            PickleError::Underflow => write!(f, "a pickle that takes more than it gave"),
            PickleError::TooMany => write!(f, "a pickle of too many values, or too much text"),
            PickleError::TooDeep => write!(f, "values nested too deep, or inside themselves"),
            PickleError::Malformed(what) => write!(f, "a malformed pickle: {what}"),
            PickleError::Type(text) => write!(f, "a value of another type: {text}"),
        }
    }
}

impl std::error::Error for PickleError {}

impl serde::ser::Error for PickleError {
    fn custom<T: fmt::Display>(text: T) -> PickleError {
        PickleError::Type(text.to_string())
    }
}

impl serde::de::Error for PickleError {
    fn custom<T: fmt::Display>(text: T) -> PickleError {
        PickleError::Type(text.to_string())
    }
}
