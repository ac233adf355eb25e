use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use crate::futex::constant;
use crate::guard::shown_as_value;
use crate::{Mutex, MutexGuard};

/// **Step 10**: a mutex that says when what it guards may be half done.
///
/// Unlike a [`Mutex`], which a panic simply opens, it is *poisoned* by a thread that panics while
/// it holds it: everyone who comes later is told, and where that thread had taken the lock. Unlike
/// a [`std::sync::Mutex`], which is poisoned as well, it can be waited for with a timeout, and
/// names the place.
///
/// ```
/// use lock::Lock;
///
/// let books = Lock::new(vec![100, 100]);
/// std::thread::scope(|scope| {
///     let clerk = scope.spawn(|| {
///         let mut books = books.lock().unwrap();
///         books[0] -= 10;
///         panic!("a call came in");
///     });
///     assert!(clerk.join().is_err());
/// });
/// let mut books_again = books.lock().unwrap_or_else(|poisoned| {
///     assert!(poisoned.to_string().contains("panicked while it held the lock"));
///     poisoned.into_guard()
/// });
/// books_again[0] += 10; // put right, and said so:
/// books.clear_poison();
/// ```
#[derive(Debug)]
pub struct Lock<T: ?Sized> {
    /// Null, or where the lock had been taken by the thread that panicked. Written and read under
    /// the mutex, which is all the order that it needs.
    poison: AtomicPtr<Location<'static>>,
    mutex: Mutex<T>,
}

impl<T> Lock<T> {
    constant! {
        /// A free lock around `value`.
        pub fn new(value: T) -> Lock<T> {
            Lock { poison: AtomicPtr::new(ptr::null_mut()), mutex: Mutex::new(value) }
        }
    }
}

impl<T: ?Sized> Lock<T> {
    /// Takes the lock, and sleeps while another thread has it.
    ///
    /// # Errors
    ///
    /// [`Poisoned`] after a panic; the guard is in it.
    #[track_caller]
    pub fn lock(&self) -> Result<LockGuard<'_, T>, Poisoned<LockGuard<'_, T>>> {
        self.guard(self.mutex.lock(), Location::caller())
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] if it is not, [`LockError::Poisoned`] after a panic.
    #[track_caller]
    pub fn try_lock(&self) -> Result<LockGuard<'_, T>, LockError<LockGuard<'_, T>>> {
        let guard = self.mutex.try_lock().ok_or(LockError::Held)?;
        Ok(self.guard(guard, Location::caller())?)
    }

    /// Takes the lock if it becomes free within `timeout`.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] if it does not, [`LockError::Poisoned`] after a panic.
    #[track_caller]
    pub fn lock_timeout(
        &self,
        timeout: Duration,
    ) -> Result<LockGuard<'_, T>, LockError<LockGuard<'_, T>>> {
        let guard = self.mutex.lock_timeout(timeout).ok_or(LockError::Held)?;
        Ok(self.guard(guard, Location::caller())?)
    }

    fn guard<'a>(
        &'a self,
        mutex: MutexGuard<'a, T>,
        taken: &'static Location<'static>,
    ) -> Result<LockGuard<'a, T>, Poisoned<LockGuard<'a, T>>> {
        let guard =
            LockGuard { poison: &self.poison, taken, panicking: thread::panicking(), mutex };
        // SAFETY: it is null or was made from a reference for ever, by a guard.
        match unsafe { self.poison.load(Relaxed).as_ref() } {
            None => Ok(guard),
            Some(taken) => Err(Poisoned { guard, taken }),
        }
    }

    /// Whether somebody held it a moment ago: good for a message, and for no decision.
    pub fn is_locked(&self) -> bool {
        self.mutex.is_locked()
    }

    /// Whether a thread has panicked while it held the lock.
    pub fn is_poisoned(&self) -> bool {
        !self.poison.load(Relaxed).is_null()
    }

    /// Says that what it guards is right again.
    pub fn clear_poison(&self) {
        self.poison.store(ptr::null_mut(), Relaxed);
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Lock<T> {
        Lock::new(T::default())
    }
}

/// Holds a [`Lock`]; dropping it opens the lock, and poisons it in a panic.
#[must_use = "the lock opens again at once when the guard is dropped"]
pub struct LockGuard<'a, T: ?Sized> {
    poison: &'a AtomicPtr<Location<'static>>,
    taken: &'static Location<'static>,
    /// Whether the thread panicked already when it took the lock: then the panic is not of this
    /// guard's time.
    panicking: bool,
    mutex: MutexGuard<'a, T>,
}

shown_as_value!(LockGuard);

impl<T: ?Sized> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.mutex
    }
}

impl<T: ?Sized> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.mutex
    }
}

impl<T: ?Sized> Drop for LockGuard<'_, T> {
    fn drop(&mut self) {
        if !self.panicking && thread::panicking() {
            self.poison.store(ptr::from_ref(self.taken).cast_mut(), Relaxed);
        }
    }
}

/// A [`Lock`] whose holder panicked: what it guards may be half changed.
pub struct Poisoned<G> {
    guard: G,
    taken: &'static Location<'static>,
}

impl<G> Poisoned<G> {
    /// The lock, held: for those who can tell whether all is well, or put it right.
    pub fn into_guard(self) -> G {
        self.guard
    }

    /// Where the lock was taken by the thread that panicked.
    pub fn taken(&self) -> &'static Location<'static> {
        self.taken
    }
}

impl<G> fmt::Debug for Poisoned<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Poisoned by the holder since {}", self.taken)
    }
}

impl<G> fmt::Display for Poisoned<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a thread panicked while it held the lock that it had taken at {}: what the lock guards may \
             be half changed; `into_guard` gives it, `clear_poison` says that it is right again",
            self.taken
        )
    }
}

impl<G> std::error::Error for Poisoned<G> {}

/// Why a [`Lock`] was not taken.
pub enum LockError<G> {
    /// Another thread held it, to the end of the timeout if there was one.
    Held,
    /// It was taken, and is poisoned: the guard is in here.
    Poisoned(Poisoned<G>),
}

impl<G> From<Poisoned<G>> for LockError<G> {
    fn from(poisoned: Poisoned<G>) -> LockError<G> {
        LockError::Poisoned(poisoned)
    }
}

impl<G> fmt::Debug for LockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Held => f.write_str("Held"),
            LockError::Poisoned(poisoned) => poisoned.fmt(f),
        }
    }
}

impl<G> fmt::Display for LockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Held => f.write_str(
                "can't take the lock: another thread holds it; wait longer, or find out who does",
            ),
            LockError::Poisoned(poisoned) => poisoned.fmt(f),
        }
    }
}

impl<G> std::error::Error for LockError<G> {}
