//! Python's format for values, as data only.

mod de;
mod error;
mod input;
mod node;
mod old;
mod read;
mod ser;
mod value;
mod write;

pub use de::from_value;
pub use error::PickleError;
pub use read::from_pickle;
pub use ser::to_value;
pub use value::{BigInt, Class, Value};
pub use write::to_pickle;
pub(crate) use write::{write_answer, write_request};

/// How deep values may be nested in each other. Each level takes a piece of the thread's stack.
pub(crate) const DEPTH: usize = 100;
