use std::fmt;
use std::time::{Duration, Instant};

use crate::futex::{
    Futex, after,
    atomic::Ordering::{Acquire, Relaxed, Release},
    constant,
};

/// No permit is left, and somebody may sleep. Beside it the state is the number of permits.
const SLEEPERS: u32 = 1 << 31;

/// **Step 6**: at most so many at a time.
///
/// Unlike a [`Mutex`](crate::Mutex), which is a semaphore with one permit that knows what it
/// guards, it guards nothing: it counts. Unlike a guard a [`Permit`] may go to another thread, and
/// a permit may be given by somebody who never took one, which makes the semaphore a signal.
///
/// It is the mutex's three states with a number in place of "free". What is new is the baton: a
/// release of three permits must wake three. It does so, but a sleeper may be woken and find more
/// than one permit left, because a second release saw no sleeper any more; so whoever has slept,
/// and leaves permits behind, wakes the next.
///
/// ```
/// let slots = lock::Semaphore::bounded(2);
/// let (one, _two) = (slots.acquire(), slots.acquire());
/// assert!(slots.try_acquire().is_none());
/// drop(one);
/// assert!(slots.try_acquire().is_some());
/// ```
#[derive(Debug)]
pub struct Semaphore {
    state: Futex,
    bound: u32,
}

impl Semaphore {
    /// The most permits that a semaphore can have.
    pub const MAX: u32 = SLEEPERS - 1;

    constant! {
        /// A semaphore with so many permits, to which more can be released.
        ///
        /// # Panics
        ///
        /// With more than [`Semaphore::MAX`].
        pub fn new(permits: u32) -> Semaphore {
            assert!(permits <= Semaphore::MAX, "more permits than a semaphore can count");
            Semaphore { state: Futex::new(permits), bound: Semaphore::MAX }
        }
    }

    constant! {
        /// A semaphore that never has more permits than it began with: one release too many, which
        /// is a bug somewhere, is an error.
        ///
        /// # Panics
        ///
        /// With more than [`Semaphore::MAX`].
        pub fn bounded(permits: u32) -> Semaphore {
            assert!(permits <= Semaphore::MAX, "more permits than a semaphore can count");
            Semaphore { state: Futex::new(permits), bound: permits }
        }
    }

    /// Takes a permit, and sleeps while there is none.
    pub fn acquire(&self) -> Permit<'_> {
        if !self.take() {
            self.take_contended(None);
        }
        Permit { semaphore: self }
    }

    /// Takes a permit if there is one.
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.take().then(|| Permit { semaphore: self })
    }

    /// Takes a permit if there is one within `timeout`.
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        let taken = self.take() || self.take_contended(after(timeout));
        taken.then(|| Permit { semaphore: self })
    }

    /// Adds permits: those of [forgotten](Permit::forget) ones, or new ones.
    ///
    /// # Errors
    ///
    /// [`OverRelease`] if there would be more than its bound; then none is added.
    pub fn release(&self, permits: u32) -> Result<(), OverRelease> {
        let mut state = self.state.load(Relaxed);
        loop {
            let had = state & !SLEEPERS;
            let has = had.checked_add(permits).filter(|&has| has <= self.bound);
            let Some(has) = has else {
                return Err(OverRelease { had, released: permits, bound: self.bound });
            };
            if permits == 0 {
                return Ok(());
            }
            match self.state.compare_exchange_weak(state, has, Release, Relaxed) {
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        if state & SLEEPERS != 0 {
            self.state.wake(permits);
        }
        Ok(())
    }

    /// How many permits were left a moment ago.
    pub fn permits(&self) -> u32 {
        self.state.load(Relaxed) & !SLEEPERS
    }

    fn take(&self) -> bool {
        let mut state = self.state.load(Relaxed);
        while state & !SLEEPERS != 0 {
            match self.state.compare_exchange_weak(state, state - 1, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    #[cold]
    fn take_contended(&self, deadline: Option<Instant>) -> bool {
        let mut state = self.state.load(Relaxed);
        loop {
            // The last one is taken with a word for those who may sleep on: this thread's release
            // will wake one.
            let next = if state & !SLEEPERS <= 1 { SLEEPERS } else { state - 1 };
            if let Err(now) = self.state.compare_exchange(state, next, Acquire, Relaxed) {
                state = now;
                continue;
            }
            if state & !SLEEPERS > 1 {
                self.state.wake(1);
            }
            if state & !SLEEPERS > 0 {
                return true;
            }
            if !self.state.wait(SLEEPERS, deadline) {
                return false;
            }
            state = self.state.load(Relaxed);
        }
    }
}

/// A permit of a [`Semaphore`]; dropping it gives it back.
#[derive(Debug)]
#[must_use = "the permit goes back at once when it is dropped"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
}

impl Permit<'_> {
    /// Never gives it back: somebody else will [`release`](Semaphore::release) one.
    pub fn forget(self) {
        let _ = std::mem::ManuallyDrop::new(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // Full already: then somebody has released one in place of this, and it was their bug.
        let _ = self.semaphore.release(1);
    }
}

/// More permits were released to a [`Semaphore`] than it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverRelease {
    /// The permits that it had.
    pub had: u32,
    /// Those that were to come.
    pub released: u32,
    /// The most that it may have.
    pub bound: u32,
}

impl fmt::Display for OverRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "can't release {} to a semaphore that has {} of at most {} permits: somebody releases \
             what they have not acquired",
            self.released, self.had, self.bound
        )
    }
}

impl std::error::Error for OverRelease {}
