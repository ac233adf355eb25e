use std::time::Instant;

use crate::futex::{
    Futex,
    atomic::Ordering::{Acquire, Relaxed, Release},
    constant, spin_loop, yield_now,
};

/// Nobody has the lock.
const FREE: u32 = 0;
/// Somebody has it, and nobody sleeps.
const LOCKED: u32 = 1;
/// Somebody has it, and somebody may sleep: the unlock has to wake one.
const CONTENDED: u32 = 2;

/// The three states of a [`Mutex`](crate::Mutex), without what it guards.
///
/// | from | to | by |
/// |---|---|---|
/// | `FREE` | `LOCKED` | `lock` that found it free: one instruction, no system call |
/// | `LOCKED` | `CONTENDED` | `lock` that is about to sleep |
/// | `FREE` | `CONTENDED` | `lock` after a sleep: others may sleep on, it can't know |
/// | `LOCKED` | `FREE` | `unlock`: one instruction, no system call |
/// | `CONTENDED` | `FREE` | `unlock`, which wakes one sleeper |
///
/// The woken one has to take the lock like everybody else, and may find that a thread that was
/// awake was faster. That is unfair, and the reason for the speed: a lock that is handed over
/// stands still until its new owner has been scheduled.
///
/// Source: Drepper, [Futexes are tricky](https://akkadia.org/drepper/futex.pdf), section 5.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    state: Futex,
}

/// How often to look before going to sleep: a critical section is mostly shorter than a system
/// call.
#[cfg(not(loom))]
const LOOKS: u32 = 10;
#[cfg(loom)]
const LOOKS: u32 = 0;
/// After so many, whoever holds the lock may need this very core.
const BUSY_LOOKS: u32 = 4;

impl Raw {
    constant! {
        pub(crate) fn new() -> Raw {
            Raw { state: Futex::new(FREE) }
        }
    }

    #[inline]
    pub(crate) fn lock(&self) {
        if !self.try_lock() {
            self.lock_contended(None);
        }
    }

    #[inline]
    pub(crate) fn try_lock(&self) -> bool {
        self.state.compare_exchange(FREE, LOCKED, Acquire, Relaxed).is_ok()
    }

    /// Whether it got the lock before the deadline.
    #[inline]
    pub(crate) fn lock_until(&self, deadline: Option<Instant>) -> bool {
        self.try_lock() || self.lock_contended(deadline)
    }

    #[inline]
    pub(crate) fn unlock(&self) {
        if self.state.swap(FREE, Release) == CONTENDED {
            self.wake();
        }
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.state.load(Relaxed) != FREE
    }

    #[cold]
    fn lock_contended(&self, deadline: Option<Instant>) -> bool {
        // One that has not slept knows of no sleeper, so it may take the lock as if alone.
        if self.look() == FREE && self.try_lock() {
            return true;
        }
        loop {
            // From here on it says `CONTENDED`, even if it takes the lock now: whoever else sleeps
            // would otherwise never be woken.
            if self.state.swap(CONTENDED, Acquire) == FREE {
                return true;
            }
            if !self.state.wait(CONTENDED, deadline) {
                return false;
            }
            self.look();
        }
    }

    /// Looks for a while whether the lock becomes free, unless others sleep already.
    ///
    /// The pauses between two looks double: each look fetches the cache line from the holder, who
    /// needs it to unlock.
    fn look(&self) -> u32 {
        for look in 0..LOOKS {
            let state = self.state.load(Relaxed);
            if state != LOCKED {
                return state;
            }
            if look < BUSY_LOOKS {
                (0..2 << look).for_each(|_| spin_loop());
            } else {
                yield_now();
            }
        }
        self.state.load(Relaxed)
    }

    #[cold]
    fn wake(&self) {
        self.state.wake(1);
    }
}
