// Wrong: it is keyed by pthread_self().
// Refused by: a_new_thread_starts_at_nothing
// Told: ThreadId is never reused
use std::collections::HashMap;
use std::sync::Mutex;
use std::thread::{self, ThreadId};

/// Counts per thread. Two Stats are independent of each other.
#[derive(Default)]
pub struct Stats {
    counts: Mutex<HashMap<libc::pthread_t, u64>>,
}

impl Stats {
    /// Add to the count of the calling thread.
    pub fn add(&self, n: u64) {
        *self.counts.lock().unwrap().entry(unsafe { libc::pthread_self() }).or_default() += n;
    }

    /// What the calling thread has added to this object (0 for a thread that has added nothing,
    /// whatever ran before it).
    pub fn mine(&self) -> u64 {
        self.counts.lock().unwrap().get(&unsafe { libc::pthread_self() }).copied().unwrap_or(0)
    }

    /// The sum over all threads, also those that have ended.
    pub fn total(&self) -> u64 {
        self.counts.lock().unwrap().values().sum()
    }
}
