use std::collections::VecDeque;

pub type Millis = u64;

struct Task {
    id: u64,
    attempts: u32,
}

struct Leased {
    task: Task,
    token: u64,
    until: Millis,
}

/// What a worker gets. The token belongs to this one delivery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lease {
    pub id: u64,
    pub token: u64,
}

pub struct Queue {
    lease: Millis,
    max_attempts: u32,
    ready: VecDeque<Task>,
    leased: Vec<Leased>,
    next_token: u64,
    /// Tasks given up after max_attempts deliveries.
    pub dead: Vec<u64>,
}

impl Queue {
    pub fn new(lease: Millis, max_attempts: u32) -> Queue {
        Queue {
            lease,
            max_attempts,
            ready: VecDeque::new(),
            leased: Vec::new(),
            next_token: 0,
            dead: Vec::new(),
        }
    }

    pub fn push(&mut self, id: u64) {
        self.ready.push_back(Task { id, attempts: 0 });
    }

    /// Deliver the next task for `lease` ms. A task whose lease ended at or before `now` is delivered again, with a new token,
    /// up to max_attempts deliveries in all; after those it moves to `dead`.
    pub fn take(&mut self, now: Millis) -> Option<Lease> {
        todo!("your code")
    }

    /// The worker is done. True only for the current, not expired lease of the task: a task is completed at most once.
    pub fn complete(&mut self, lease: Lease, now: Millis) -> bool {
        todo!("your code")
    }
}
