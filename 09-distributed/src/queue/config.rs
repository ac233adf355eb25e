use std::time::Duration;

use crate::queue::METHODS;

/// What a registered queue is like.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// How many values and tasks it holds before `put` waits: Python's `maxsize`, and never without bound. 100,000.
    pub capacity: usize,
    /// The methods that may be called from outside. All of [`METHODS`].
    pub exposed: Vec<&'static str>,
    /// How long a task is lent before somebody else may have it. Ten seconds.
    pub lease: Duration,
    /// How long a value or a task's body may be, in bytes of its pickle. 16 MiB, as a message by [`Limits`](crate::Limits).
    pub max_body: usize,
    /// How often a task is lent before it counts as one that can't be done. Five times.
    pub max_attempts: u32,
    /// The name of the queue into which the results go of tasks that were put as Python's `put` does, without an
    /// id. Without one such tasks can't be taken on lease.
    pub results: Option<String>,
}

impl Default for QueueConfig {
    fn default() -> QueueConfig {
        QueueConfig {
            capacity: 100_000,
            exposed: METHODS.to_vec(),
            lease: Duration::from_secs(10),
            max_body: 16 << 20,
            max_attempts: 5,
            results: None,
        }
    }
}
