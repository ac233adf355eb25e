// Wrong: one is woken, and somebody else is faster.
// Refused by: one_permit_one_at_a_time
// Told: after a wait check the condition again
use std::sync::{Condvar, Mutex};

pub struct Semaphore {
    free: Mutex<usize>,
    changed: Condvar,
}

/// One permit; dropping it gives it back.
pub struct Permit<'a>(&'a Semaphore);

impl Semaphore {
    pub fn new(n: usize) -> Semaphore {
        Semaphore { free: Mutex::new(n), changed: Condvar::new() }
    }

    /// Wait for a permit and take it.
    pub fn acquire(&self) -> Permit<'_> {
        let mut free = self.free.lock().unwrap();
        if *free == 0 {
            free = self.changed.wait(free).unwrap();
        }
        *free -= 1;
        Permit(self)
    }

    /// Run `f` while holding one permit; the permit comes back also when `f` panics.
    pub fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        let _permit = self.acquire();
        f()
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap() += 1;
        self.0.changed.notify_one();
    }
}
