use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::futex::{
    atomic::{
        AtomicBool,
        Ordering::{Acquire, Relaxed, Release},
    },
    constant, spin_loop, yield_now,
};
use crate::guard::shown_as_value;

/// **Step 1**: a lock made of one bit.
///
/// Unlike a [`Mutex`](crate::Mutex) it never sleeps: who waits keeps a core busy, and if the holder
/// was put aside by the scheduler, waits for nothing. It is right where no kernel is there to sleep
/// in, and for a handful of instructions between threads that each have a core. Everywhere else it
/// is the wrong one.
///
/// ```
/// let apples = lock::SpinLock::new(3);
/// *apples.lock() -= 1;
/// assert_eq!(*apples.lock(), 2);
/// ```
///
/// # Why `Acquire` and `Release`
///
/// The bit alone would keep two threads from being inside at once, but not from seeing each other's
/// half-finished work: compiler and CPU may move reads and writes past it. `Release` on unlock
/// says: what I wrote before comes before. `Acquire` on lock says: what I read after comes after.
/// When a lock reads what an unlock wrote, the two are joined, and everything that the former
/// holder did *happens before* everything that the next one does.
#[derive(Debug)]
pub struct SpinLock<T: ?Sized> {
    locked: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: a shared lock gives out the value to one thread after another, hence `T: Send`, and never
// to two at a time, hence no `T: Sync`.
unsafe impl<T: ?Sized + Send> Sync for SpinLock<T> {}

/// How often to look before the core is offered to somebody else: maybe the holder needs it.
#[cfg(not(loom))]
const LOOKS: u32 = 100;
#[cfg(loom)]
const LOOKS: u32 = 0;

impl<T> SpinLock<T> {
    constant! {
        /// A free lock around `value`.
        pub fn new(value: T) -> SpinLock<T> {
            SpinLock { locked: AtomicBool::new(false), value: UnsafeCell::new(value) }
        }
    }
}

impl<T: ?Sized> SpinLock<T> {
    /// Takes the lock, however long that keeps this core busy.
    pub fn lock(&self) -> SpinGuard<'_, T> {
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            // Only reads while it is held: a write would take the cache line away from the holder,
            // who needs it.
            let mut looks = 0;
            while self.locked.load(Relaxed) {
                if looks < LOOKS {
                    looks += 1;
                    spin_loop();
                } else {
                    yield_now();
                }
            }
        }
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Option<SpinGuard<'_, T>> {
        let free = self.locked.compare_exchange(false, true, Acquire, Relaxed).is_ok();
        // Made only if it is held: a guard that is made and dropped unlocks, also somebody else's
        // lock.
        free.then(|| SpinGuard { lock: self, not_send: PhantomData })
    }
}

/// Holds a [`SpinLock`]; dropping it opens the lock.
#[must_use = "the lock opens again at once when the guard is dropped"]
pub struct SpinGuard<'a, T: ?Sized> {
    lock: &'a SpinLock<T>,
    not_send: PhantomData<*const ()>,
}

shown_as_value!(SpinGuard);

impl<T: ?Sized> Deref for SpinGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard exists, so this thread holds the lock and nobody else has a reference.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for SpinGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for SpinGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.locked.store(false, Release);
    }
}
