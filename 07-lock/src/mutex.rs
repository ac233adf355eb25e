use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::futex::{after, constant};
use crate::guard::shown_as_value;
use crate::raw::Raw;

/// **Step 3**: a lock whose waiters sleep, and that costs no system call when nobody waits.
///
/// Unlike a [`std::sync::Mutex`] it is not poisoned by a panic (a [`Lock`](crate::Lock) is), and it
/// can be waited for with a timeout. Unlike a [`SleepLock`](crate::SleepLock) its state says
/// whether somebody may be asleep, so that an unlock wakes only then.
///
/// It is not fair: a thread that is awake may be faster than one that was woken. It does not notice
/// that its own thread holds it already: locking it twice is a wait for ever, and
/// [`Ordered`](crate::Ordered) and [`RLock`](crate::RLock) are the two answers to that.
///
/// ```
/// use lock::Mutex;
///
/// static BALANCE: Mutex<i64> = Mutex::new(0);
/// std::thread::scope(|scope| {
///     for n in [5, 8] {
///         scope.spawn(move || {
///             for _ in 0..1000 {
///                 let mut balance = BALANCE.lock();
///                 *balance += n;
///                 *balance -= n;
///             }
///         });
///     }
/// });
/// assert_eq!(*BALANCE.lock(), 0);
/// ```
#[derive(Debug)]
pub struct Mutex<T: ?Sized> {
    pub(crate) raw: Raw,
    value: UnsafeCell<T>,
}

// SAFETY: a shared mutex gives out the value to one thread after another, hence `T: Send`, and
// never to two at a time, hence no `T: Sync`.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    constant! {
        /// A free mutex around `value`.
        pub fn new(value: T) -> Mutex<T> {
            Mutex { raw: Raw::new(), value: UnsafeCell::new(value) }
        }
    }

    /// What it guarded. By its type nobody can hold a mutex that is given away.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Takes the lock, and sleeps while another thread has it.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.raw.lock();
        MutexGuard { mutex: self, not_send: PhantomData }
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.raw.try_lock().then(|| MutexGuard { mutex: self, not_send: PhantomData })
    }

    /// Takes the lock if it becomes free within `timeout`.
    pub fn lock_timeout(&self, timeout: Duration) -> Option<MutexGuard<'_, T>> {
        let locked = self.raw.try_lock() || self.raw.lock_until(after(timeout));
        locked.then(|| MutexGuard { mutex: self, not_send: PhantomData })
    }

    /// Whether somebody held it a moment ago: good for a message, and for no decision.
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    /// The value, without locking: by its type nobody else can have it.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

/// Holds a [`Mutex`]; dropping it opens the mutex.
///
/// It stays on its thread: what one thread has locked no other one can release.
///
/// ```compile_fail,E0277
/// let mutex = lock::Mutex::new(());
/// let guard = mutex.lock();
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(guard));
/// });
/// ```
#[must_use = "the lock opens again at once when the guard is dropped"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    not_send: PhantomData<*const ()>,
}

shown_as_value!(MutexGuard);

// SAFETY: a shared guard gives out `&T` and nothing else. It needs `T: Sync`, which the compiler
// would not ask for on its own: to it a guard is a reference to a mutex, and that is `Sync` with
// less.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<T: ?Sized> MutexGuard<'_, T> {
    /// Opens the mutex while `asleep` runs, and takes it again.
    pub(crate) fn unlocked<R>(&mut self, asleep: impl FnOnce() -> R) -> R {
        /// Taken again on a panic, too: the guard goes on to exist, and will unlock.
        struct Relock<'a>(&'a Raw);
        impl Drop for Relock<'_> {
            fn drop(&mut self) {
                self.0.lock();
            }
        }
        self.mutex.raw.unlock();
        let _relock = Relock(&self.mutex.raw);
        asleep()
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this guard exists, so this thread holds the lock and nobody else has a reference.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed exclusively.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.raw.unlock();
    }
}
