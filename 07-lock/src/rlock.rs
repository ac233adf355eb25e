use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::time::Duration;

use crate::futex::after;
use crate::futex::{
    atomic::{AtomicU64, Ordering::Relaxed},
    constant, thread_local,
};
use crate::guard::shown_as_value;
use crate::raw::Raw;

/// **Step 9**: a lock that its holder may take again.
///
/// Unlike a [`Mutex`](crate::Mutex) it knows who holds it, counts how often, and opens when the
/// first guard of that thread's goes. Hence it gives out `&T` only: two guards in one thread would
/// be two `&mut T`. Put a `Cell` or `RefCell` inside to change it.
///
/// Python's `RLock` is released by a call, and a call by a stranger is an error at run time. Here
/// the release is the guard's end, and a guard does not leave its thread:
///
/// ```compile_fail,E0277
/// let lock = lock::RLock::new(());
/// let guard = lock.lock();
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(guard));
/// });
/// ```
///
/// ```
/// let lock = lock::RLock::new(5);
/// let outer = lock.lock();
/// let inner = lock.lock(); // a mutex would wait for ever
/// assert_eq!((*outer + *inner, lock.depth()), (10, 2));
/// ```
pub struct RLock<T: ?Sized> {
    raw: Raw,
    /// The holder's number, or 0. No thread finds its own number here unless it wrote it.
    owner: AtomicU64,
    /// How many guards the owner has. Only the owner touches it.
    depth: Cell<u32>,
    value: T,
}

// SAFETY: `depth` is touched by the holder of `raw` alone. The value is reached by one thread after
// another, hence `T: Send`, and never by two at a time, hence no `T: Sync`.
unsafe impl<T: ?Sized + Send> Sync for RLock<T> {}

/// Derived, it would read the value without the lock.
impl<T: ?Sized> fmt::Debug for RLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RLock {{ locked: {}, .. }}", self.raw.is_locked())
    }
}

impl<T> RLock<T> {
    constant! {
        /// A free lock around `value`.
        pub fn new(value: T) -> RLock<T> {
            RLock { raw: Raw::new(), owner: AtomicU64::new(0), depth: Cell::new(0), value }
        }
    }
}

impl<T: ?Sized> RLock<T> {
    /// Takes the lock, once more if this thread has it already.
    ///
    /// # Panics
    ///
    /// When this thread has it 2^32 - 1 times: guards were leaked.
    pub fn lock(&self) -> RGuard<'_, T> {
        self.take(|| {
            self.raw.lock();
            true
        })
        .expect("a wait without a deadline ends with the lock")
    }

    /// Takes the lock if it is free or this thread's.
    ///
    /// # Panics
    ///
    /// As [`lock`](RLock::lock).
    pub fn try_lock(&self) -> Option<RGuard<'_, T>> {
        self.take(|| self.raw.try_lock())
    }

    /// Takes the lock if it is free within `timeout`, or this thread's.
    ///
    /// # Panics
    ///
    /// As [`lock`](RLock::lock).
    pub fn lock_timeout(&self, timeout: Duration) -> Option<RGuard<'_, T>> {
        self.take(|| self.raw.lock_until(after(timeout)))
    }

    /// How often the calling thread has taken it: 0 if it is free or another thread's.
    pub fn depth(&self) -> u32 {
        if self.is_mine() { self.depth.get() } else { 0 }
    }

    /// Whether this thread holds it. Without ordering: a thread reads its own number only if it
    /// wrote it itself, and what it wrote itself it sees.
    fn is_mine(&self) -> bool {
        self.owner.load(Relaxed) == thread_number()
    }

    fn take(&self, raw: impl FnOnce() -> bool) -> Option<RGuard<'_, T>> {
        if !self.is_mine() {
            if !raw() {
                return None;
            }
            self.owner.store(thread_number(), Relaxed);
        }
        let depth = self.depth.get().checked_add(1).expect("too many guards: were they leaked?");
        self.depth.set(depth);
        Some(RGuard { lock: self, not_send: PhantomData })
    }
}

/// A number for each thread, never used again: an address would be, by a thread that comes later.
fn thread_number() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    thread_local! {
        static NUMBER: u64 = NEXT.fetch_add(1, Relaxed);
    }
    NUMBER.with(|number| *number)
}

/// Holds an [`RLock`]; when the last one of the thread is dropped, the lock opens.
#[must_use = "the lock opens again at once when the guard is dropped"]
pub struct RGuard<'a, T: ?Sized> {
    lock: &'a RLock<T>,
    not_send: PhantomData<*const ()>,
}

shown_as_value!(RGuard);

impl<T: ?Sized> Deref for RGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.lock.value
    }
}

impl<T: ?Sized> Drop for RGuard<'_, T> {
    fn drop(&mut self) {
        let depth = self.lock.depth.get() - 1;
        self.lock.depth.set(depth);
        if depth == 0 {
            self.lock.owner.store(0, Relaxed);
            self.lock.raw.unlock();
        }
    }
}
