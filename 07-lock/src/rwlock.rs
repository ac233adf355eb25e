use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use crate::futex::{
    Futex, after,
    atomic::Ordering::{Acquire, Relaxed, Release},
    constant,
};
use crate::guard::shown_as_value;
use crate::raw::Raw;

/// A writer is inside, or waits for the readers to leave: no further reader comes in.
const WRITER: u32 = 1 << 31;
/// Readers sleep until that writer is done. Only ever set together with `WRITER`.
const SLEEPERS: u32 = 1 << 30;
/// The number of readers inside is in the other bits.
const READERS: u32 = SLEEPERS - 1;

/// **Step 5**: many readers, or one writer.
///
/// Unlike a [`Mutex`](crate::Mutex) it lets in any number of threads that only read. That pays when
/// reading takes long; for a short look the mutex is quicker, since readers, too, have to count
/// themselves in and out, all in the same cache line.
///
/// A waiting writer keeps new readers out, so that it does not starve. Hence a thread that reads
/// must not ask to read again: if a writer came in between, the second `read` waits for the writer,
/// who waits for the first. Readers may starve under writers that never pause.
///
/// ```
/// let prices = lock::RwLock::new(vec![3, 4]);
/// {
///     let (one, another) = (prices.read(), prices.try_read());
///     assert_eq!(one[0], another.expect("two readers are welcome")[0]);
///     assert!(prices.try_write().is_none());
/// }
/// prices.write().push(5);
/// ```
#[derive(Debug)]
pub struct RwLock<T: ?Sized> {
    /// Writers wait for one another here, each like for a mutex; its holder sets `WRITER`.
    writers: Raw,
    /// `WRITER`, `SLEEPERS` and the number of readers. Readers sleep on it.
    state: Futex,
    /// Counted up when the last reader leaves a waiting writer alone: what that writer sleeps on.
    /// On a word of its own, since a `wake` can't choose whom it wakes.
    left: Futex,
    value: UnsafeCell<T>,
}

// SAFETY: writers get the value one after another, hence `T: Send`, and readers share it, hence
// `T: Sync`.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    constant! {
        /// A free lock around `value`.
        pub fn new(value: T) -> RwLock<T> {
            RwLock {
                writers: Raw::new(),
                state: Futex::new(0),
                left: Futex::new(0),
                value: UnsafeCell::new(value),
            }
        }
    }

    /// What it guarded.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until there is no writer, and comes in to read.
    ///
    /// # Panics
    ///
    /// When there are 2^30 readers: guards were leaked.
    pub fn read(&self) -> ReadGuard<'_, T> {
        self.read_until(None);
        ReadGuard { lock: self, not_send: PhantomData }
    }

    /// Comes in to read if there is no writer, inside or waiting.
    ///
    /// # Panics
    ///
    /// As [`read`](RwLock::read).
    pub fn try_read(&self) -> Option<ReadGuard<'_, T>> {
        self.enter().is_ok().then(|| ReadGuard { lock: self, not_send: PhantomData })
    }

    /// Comes in to read if that is possible within `timeout`.
    ///
    /// # Panics
    ///
    /// As [`read`](RwLock::read).
    pub fn read_timeout(&self, timeout: Duration) -> Option<ReadGuard<'_, T>> {
        self.read_until(after(timeout)).then(|| ReadGuard { lock: self, not_send: PhantomData })
    }

    /// Waits until nobody is inside, and comes in to write.
    pub fn write(&self) -> WriteGuard<'_, T> {
        self.writers.lock();
        self.until_alone(None);
        WriteGuard { lock: self, not_send: PhantomData }
    }

    /// Comes in to write if nobody is inside.
    pub fn try_write(&self) -> Option<WriteGuard<'_, T>> {
        if !self.writers.try_lock() {
            return None;
        }
        if self.state.compare_exchange(0, WRITER, Acquire, Relaxed).is_err() {
            self.writers.unlock();
            return None;
        }
        Some(WriteGuard { lock: self, not_send: PhantomData })
    }

    /// Comes in to write if that is possible within `timeout`.
    pub fn write_timeout(&self, timeout: Duration) -> Option<WriteGuard<'_, T>> {
        let deadline = after(timeout);
        let alone = self.writers.lock_until(deadline) && self.until_alone(deadline);
        alone.then(|| WriteGuard { lock: self, not_send: PhantomData })
    }

    /// The value, without locking.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Counts a reader in, or tells the state with a writer in it.
    fn enter(&self) -> Result<(), u32> {
        let mut state = self.state.load(Relaxed);
        while state & WRITER == 0 {
            assert!(state & READERS < READERS, "too many readers: were guards leaked?");
            match self.state.compare_exchange_weak(state, state + 1, Acquire, Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => state = now,
            }
        }
        Err(state)
    }

    fn read_until(&self, deadline: Option<Instant>) -> bool {
        while let Err(state) = self.enter() {
            let asleep = state | SLEEPERS;
            let said = state == asleep
                || self.state.compare_exchange(state, asleep, Relaxed, Relaxed).is_ok();
            if said && !self.state.wait(asleep, deadline) {
                return false;
            }
        }
        true
    }

    /// As the holder of `writers`: shuts the door to readers, and waits until they have left.
    fn until_alone(&self, deadline: Option<Instant>) -> bool {
        self.state.fetch_or(WRITER, Acquire);
        loop {
            // First this word, then the state: the last reader writes them the other way round.
            let left = self.left.load(Acquire);
            if self.state.load(Acquire) & READERS == 0 {
                return true;
            }
            if !self.left.wait(left, deadline) {
                self.leave();
                return false;
            }
        }
    }

    /// As a writer: lets readers in again, then the next writer.
    fn leave(&self) {
        let state = self.state.fetch_and(READERS, Release);
        if state & SLEEPERS != 0 {
            self.state.wake(u32::MAX);
        }
        self.writers.unlock();
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

/// Reads what an [`RwLock`] guards; dropping it counts this reader out.
#[must_use = "the lock opens again at once when the guard is dropped"]
pub struct ReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    not_send: PhantomData<*const ()>,
}

shown_as_value!(ReadGuard);

/// Writes what an [`RwLock`] guards; dropping it opens the lock.
#[must_use = "the lock opens again at once when the guard is dropped"]
pub struct WriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    not_send: PhantomData<*const ()>,
}

shown_as_value!(WriteGuard);

impl<T: ?Sized> Deref for ReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: as long as a reader is counted in, no writer has a reference.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> Deref for WriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the writer is alone.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the writer is alone, and its guard is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for ReadGuard<'_, T> {
    fn drop(&mut self) {
        let before = self.lock.state.fetch_sub(1, Release);
        if before & WRITER != 0 && before & READERS == 1 {
            self.lock.left.fetch_add(1, Release);
            self.lock.left.wake(1);
        }
    }
}

impl<T: ?Sized> Drop for WriteGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.leave();
    }
}
