// Wrong: one thread_local! for all objects.
// Refused by: two_objects_are_apart
// Told: not per object
use std::collections::HashMap;
use std::sync::Mutex;
use std::thread::{self, ThreadId};

thread_local! {
    static MINE: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts per thread. Two Stats are independent of each other.
#[derive(Default)]
pub struct Stats {
    counts: Mutex<HashMap<ThreadId, u64>>,
}

impl Stats {
    /// Add to the count of the calling thread.
    pub fn add(&self, n: u64) {
        MINE.set(MINE.get() + n);
        *self.counts.lock().unwrap().entry(thread::current().id()).or_default() += n;
    }

    /// What the calling thread has added to this object (0 for a thread that has added nothing,
    /// whatever ran before it).
    pub fn mine(&self) -> u64 {
        MINE.get()
    }

    /// The sum over all threads, also those that have ended.
    pub fn total(&self) -> u64 {
        self.counts.lock().unwrap().values().sum()
    }
}
