//! Who owns the values: the object, until the thread or the object ends, whichever comes first.

use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::keys::{self, Key};

/// A value on the heap, which this owns.
///
/// Not a `Box`: a thread reads the value through a pointer of its own, while this one lies, and
/// moves, in the object's list.
struct Owned<T>(NonNull<T>);

// SAFETY: it owns a `T` as a `Box` does.
unsafe impl<T: Send> Send for Owned<T> {}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a `Box`, and nobody else frees it. No thread reads the
        // value: that is the obligation of who takes an `Owned` off the list (see `Home::end`,
        // `Values::end_all`).
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// All threads' values of one object. The object has it, and each thread that has a value in it.
pub(crate) struct Values<T> {
    pub(crate) key: Key,
    /// By address.
    owned: Mutex<BTreeMap<usize, Owned<T>>>,
}

impl<T> Values<T> {
    pub(crate) fn new() -> Values<T> {
        Values { key: keys::take(), owned: Mutex::new(BTreeMap::new()) }
    }

    /// Takes a new value in, and tells where it is from now on.
    pub(crate) fn add(&self, value: T) -> NonNull<T> {
        let value = NonNull::from(Box::leak(Box::new(value)));
        self.owned().insert(value.as_ptr().addr(), Owned(value));
        value
    }

    /// Drops all of them, on this thread. The caller sees to it that no thread reads one any more.
    pub(crate) fn end_all(&self) {
        let all = std::mem::take(&mut *self.owned());
        // Outside of the lock: a value's destructor may do anything.
        drop(all);
    }

    fn owned(&self) -> MutexGuard<'_, BTreeMap<usize, Owned<T>>> {
        // No code of the user's runs under this lock, so it is never poisoned.
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// [`Values`] whose type a thread's table need not know.
pub(crate) trait Home: Send + Sync {
    /// Drops the value at that address, unless its object was faster.
    ///
    /// The caller is the thread whose value it is, and reads it no more.
    fn end(&self, value: NonNull<()>);
}

impl<T: Send> Home for Values<T> {
    fn end(&self, value: NonNull<()>) {
        // Whoever takes it off the list drops it: the thread here, or the object in `end_all`.
        let taken = self.owned().remove(&value.as_ptr().addr());
        drop(taken);
    }
}
