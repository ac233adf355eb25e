use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::futex::{
    Futex,
    atomic::Ordering::{Acquire, Relaxed, Release},
    constant,
};
use crate::guard::shown_as_value;

const FREE: u32 = 0;
const LOCKED: u32 = 1;

/// **Step 2**: a lock whose waiters sleep.
///
/// Unlike a [`SpinLock`](crate::SpinLock), whose waiters keep a core busy, a waiter here sleeps in
/// the kernel until the holder wakes it. Unlike a [`Mutex`](crate::Mutex) the holder does not know
/// whether anybody sleeps, so it makes a system call at every unlock, for nothing most of the time:
/// tens of times dearer than the unlocking itself. It stays here to show that difference; use
/// the `Mutex`.
///
/// ```
/// let apples = lock::SleepLock::new(3);
/// *apples.lock() -= 1;
/// assert_eq!(*apples.lock(), 2);
/// ```
#[derive(Debug)]
pub struct SleepLock<T: ?Sized> {
    state: Futex,
    value: UnsafeCell<T>,
}

// SAFETY: a shared lock gives out the value to one thread after another, hence `T: Send`, and never
// to two at a time, hence no `T: Sync`.
unsafe impl<T: ?Sized + Send> Sync for SleepLock<T> {}

impl<T> SleepLock<T> {
    constant! {
        /// A free lock around `value`.
        pub fn new(value: T) -> SleepLock<T> {
            SleepLock { state: Futex::new(FREE), value: UnsafeCell::new(value) }
        }
    }
}

impl<T: ?Sized> SleepLock<T> {
    /// Takes the lock, and sleeps while another thread has it.
    pub fn lock(&self) -> SleepGuard<'_, T> {
        while self.state.compare_exchange(FREE, LOCKED, Acquire, Relaxed).is_err() {
            self.state.wait(LOCKED, None);
        }
        SleepGuard { lock: self, not_send: PhantomData }
    }
}

/// Holds a [`SleepLock`]; dropping it opens the lock.
#[must_use = "the lock opens again at once when the guard is dropped"]
pub struct SleepGuard<'a, T: ?Sized> {
    lock: &'a SleepLock<T>,
    not_send: PhantomData<*const ()>,
}

shown_as_value!(SleepGuard);

impl<T: ?Sized> Deref for SleepGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard exists, so this thread holds the lock and nobody else has a reference.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for SleepGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for SleepGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.state.store(FREE, Release);
        self.lock.state.wake(1);
    }
}
