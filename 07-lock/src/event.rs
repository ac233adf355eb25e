use std::time::{Duration, Instant};

use crate::futex::{
    Futex, after,
    atomic::Ordering::{AcqRel, Acquire, Relaxed},
    constant,
};

const SET: u32 = 1;
const SLEEPERS: u32 = 2;
/// How often it was set is counted in the other bits.
const ONCE: u32 = 4;

/// **Step 7**: something has happened.
///
/// Unlike a [`Condvar`](crate::Condvar) it remembers: who comes to wait after `set` does not wait.
/// It counts how often it was set, so that all who waited come back, even if it is cleared before
/// they have had their turn. A single bit would be 0 again when they look, and they would sleep on.
///
/// ```
/// static READY: lock::Event = lock::Event::new();
/// std::thread::spawn(|| READY.set());
/// READY.wait();
/// assert!(READY.is_set());
/// ```
#[derive(Debug, Default)]
pub struct Event {
    state: Futex,
}

impl Event {
    constant! {
        /// An event that has not happened.
        pub fn new() -> Event {
            Event { state: Futex::new(0) }
        }
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.state.load(Acquire) & SET != 0
    }

    /// Sets it, and wakes all who wait. What was done before is seen by all who come back from a
    /// wait.
    pub fn set(&self) {
        let mut state = self.state.load(Relaxed);
        loop {
            let next =
                if state & SET != 0 { state } else { (state & !SLEEPERS).wrapping_add(ONCE) | SET };
            // Written also if it is set already, so that this thread's work is seen as well.
            match self.state.compare_exchange_weak(state, next, AcqRel, Relaxed) {
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        if state & SLEEPERS != 0 {
            self.state.wake(u32::MAX);
        }
    }

    /// Makes it unset; those who waited already come back all the same.
    pub fn clear(&self) {
        self.state.fetch_and(!SET, Relaxed);
    }

    /// Waits until it is set.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Waits until it is set, at most for `timeout`; whether it was.
    #[must_use = "it may have been the timeout that ended the wait"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.is_set() || self.wait_until(after(timeout))
    }

    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let mut state = self.state.load(Acquire);
        let times = state / ONCE;
        loop {
            if state & SET != 0 || state / ONCE != times {
                return true;
            }
            let asleep = state | SLEEPERS;
            let said = state == asleep
                || self.state.compare_exchange(state, asleep, Relaxed, Relaxed).is_ok();
            let in_time = !said || self.state.wait(asleep, deadline);
            state = self.state.load(Acquire);
            if !in_time {
                return state & SET != 0 || state / ONCE != times;
            }
        }
    }
}
