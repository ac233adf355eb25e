use crate::queue::METHODS;

/// What a registered queue is like.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// How many values it holds before `put` waits: Python's `maxsize`, and never without bound. Without this 100,000.
    pub capacity: usize,
    /// The methods that may be called from outside: all of [`METHODS`] without this.
    pub exposed: Vec<&'static str>,
}

impl Default for QueueConfig {
    fn default() -> QueueConfig {
        QueueConfig { capacity: 100_000, exposed: METHODS.to_vec() }
    }
}
