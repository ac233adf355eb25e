// Wrong: it asks again and again, without a wait.
// Refused by: a_waiter_is_woken
// Told: burned processor time
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
        while *free == 0 {
            drop(free);
            std::thread::yield_now();
            free = self.free.lock().unwrap();
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
        self.0.changed.notify_all();
    }
}
