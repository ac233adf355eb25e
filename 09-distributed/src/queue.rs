//! What the server keeps: a queue, and the calls that it answers. No clock, no thread and no socket in
//! here: the server tells what time it is and who calls.

mod call;
mod config;
mod lease;
mod state;

pub use call::METHODS;
pub(crate) use call::{Answer, Call, Kind, Wait};
pub use config::QueueConfig;
#[cfg(feature = "redis")]
pub(crate) use state::too_long;
pub(crate) use state::{Caller, Queue};
