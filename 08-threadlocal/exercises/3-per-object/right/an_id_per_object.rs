// Right: the object has a number that is never used again, and the threads keep the counts.
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

thread_local! {
    static MINE: RefCell<HashMap<u64, u64>> = RefCell::default();
}

pub struct Stats {
    id: u64,
    total: AtomicU64,
}

impl Default for Stats {
    fn default() -> Stats {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Stats { id: NEXT.fetch_add(1, Relaxed), total: AtomicU64::new(0) }
    }
}

impl Stats {
    pub fn add(&self, n: u64) {
        self.total.fetch_add(n, Relaxed);
        MINE.with_borrow_mut(|mine| *mine.entry(self.id).or_default() += n);
    }

    pub fn mine(&self) -> u64 {
        MINE.with_borrow(|mine| mine.get(&self.id).copied().unwrap_or(0))
    }

    pub fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
