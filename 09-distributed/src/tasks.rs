//! The client's side of leases: what every engine of a task queue promises, and the one in this lesson's server.

mod error;
mod heartbeat;
mod queue;
#[cfg(feature = "redis")]
mod redis;
mod remote;
mod work;

pub use error::QueueError;
pub use heartbeat::Heartbeat;
pub use queue::{
    Cursor, Dead, Done, Fence, Lease, Outcome, Put, Stats, TaskQueue, Verdict, WorkerStats,
};
#[cfg(feature = "redis")]
pub use redis::RedisTasks;
pub use remote::RemoteTasks;
pub use work::{Undone, work};
