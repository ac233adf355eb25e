// Wrong: it is keyed by the address of the object.
// Refused by: a_new_object_starts_at_nothing
// Told: an address is used again
use std::collections::HashMap;
use std::sync::Mutex;
use std::thread::{self, ThreadId};

thread_local! {
    static MINE: std::cell::RefCell<HashMap<usize, u64>> = std::cell::RefCell::default();
}

/// Counts per thread. Two Stats are independent of each other.
#[derive(Default)]
pub struct Stats {
    counts: Mutex<HashMap<ThreadId, u64>>,
}

impl Stats {
    /// Add to the count of the calling thread.
    pub fn add(&self, n: u64) {
        MINE.with_borrow_mut(|mine| *mine.entry(std::ptr::from_ref(self).addr()).or_default() += n);
        *self.counts.lock().unwrap().entry(thread::current().id()).or_default() += n;
    }

    /// What the calling thread has added to this object (0 for a thread that has added nothing,
    /// whatever ran before it).
    pub fn mine(&self) -> u64 {
        MINE.with_borrow(|mine| mine.get(&std::ptr::from_ref(self).addr()).copied().unwrap_or(0))
    }

    /// The sum over all threads, also those that have ended.
    pub fn total(&self) -> u64 {
        self.counts.lock().unwrap().values().sum()
    }
}
