//! Which object has which place in the threads' tables.

use std::sync::{Mutex, PoisonError};

/// An object's key: its place in every thread's table in the low half, and in the high half the
/// place's *generation*.
///
/// Places are used again, or tables would grow with every object that ever was. Generations are not: so
/// what a thread still has in that place, of an object that is gone, is not taken for the new
/// object's value.
pub(crate) type Key = u64;

/// The key of an object that no thread has used. Its place lies outside of every table.
pub(crate) const NONE: Key = u64::MAX;

/// The key in a place that is empty: generations begin with 1.
pub(crate) const EMPTY: Key = 0;

/// The place of a key in a table.
#[inline]
pub(crate) fn place(key: Key) -> usize {
    (key & u64::from(u32::MAX)) as usize
}

struct Keys {
    /// Keys to be given out again, in their next generation.
    free: Vec<Key>,
    /// How many places there are.
    places: u32,
}

static KEYS: Mutex<Keys> = Mutex::new(Keys { free: Vec::new(), places: 0 });

/// A key that no object has or ever had.
pub(crate) fn take() -> Key {
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    // The place that became free last: tables stay small, and it is the warmest.
    keys.free.pop().unwrap_or_else(|| {
        let place = keys.places;
        assert!(place < u32::MAX, "2^32 - 1 objects with values per thread at a time");
        keys.places += 1;
        (1 << 32) | u64::from(place)
    })
}

/// Takes a key back, of an object that is gone with all of its values.
pub(crate) fn give_back(key: Key) {
    // After its last generation a place is used no more.
    if let Some(next) = key.checked_add(1 << 32) {
        KEYS.lock().unwrap_or_else(PoisonError::into_inner).free.push(next);
    }
}
