//! The thread's side: a table of where its values are.

use std::cell::{Cell, RefCell};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use crate::LocalError;
use crate::keys::{self, EMPTY, Key};
use crate::values::Home;

/// A place in the table: which object's value is there.
#[derive(Clone, Copy)]
struct Slot {
    key: Key,
    value: *const (),
}

const NOTHING: Slot = Slot { key: EMPTY, value: ptr::null() };

thread_local! {
    /// What was found last, by the last 8 bits of the place: a key, and beside it where the value
    /// is.
    ///
    /// It lies at a fixed distance from a register, 8 bits always lead into it, and a key that is
    /// there is right; so a look is one comparison, and asks neither where a table is nor how
    /// long. Keys and values are apart as the processor multiplies by 8 for nothing, and not by 16.
    static FOUND: Found = const {
        Found {
            keys: [const { Cell::new(EMPTY) }; 256],
            values: [const { Cell::new(ptr::null()) }; 256],
        }
    };

    /// The table: its first slot, and how many there are. Like `FOUND` it has no destructor, so
    /// reading it is a read of memory: no question whether it exists yet, or still.
    static TABLE: Cell<(*const Slot, usize)> = const { Cell::new((ptr::null(), 0)) };

    /// The table's owner. Its destructor is the end of the thread's values.
    static THREAD: Thread = const {
        Thread(RefCell::new(Table {
            slots: Vec::new(),
            homes: Vec::new(),
            begun: 0,
            starting: Vec::new(),
        }))
    };
}

/// Where this thread's value of the object with that key is.
#[inline]
pub(crate) fn find(key: Key) -> Option<*const ()> {
    let index = usize::from(key as u8);
    let (found, value) = FOUND.with(|found| (found.keys[index].get(), found.values[index].get()));
    if found == key { Some(value) } else { find_in_table(key) }
}

struct Found {
    keys: [Cell<Key>; 256],
    values: [Cell<*const ()>; 256],
}

/// Notes for `find` what is in a slot.
fn note(place: usize, slot: Slot) {
    let index = usize::from(place as u8);
    FOUND.with(|found| {
        found.keys[index].set(slot.key);
        found.values[index].set(slot.value);
    });
}

#[inline(never)]
fn find_in_table(key: Key) -> Option<*const ()> {
    let (first, len) = TABLE.get();
    let place = keys::place(key);
    if place >= len {
        return None;
    }
    // SAFETY: `TABLE` is what `publish` said last, and every change of the table's length ends with
    // it; so there are `len` slots.
    let slot = unsafe { first.add(place) };
    // SAFETY: it is a slot, as above, and nobody changes it meanwhile: the table is this thread's.
    let slot = unsafe { *slot };
    if slot.key != key {
        return None;
    }
    note(place, slot);
    Some(slot.value)
}

struct Thread(RefCell<Table>);

struct Table {
    slots: Vec<Slot>,
    /// Beside each slot, who owns its value, and the value's number in the order of beginning.
    homes: Vec<Option<(Arc<dyn Home>, u64)>>,
    begun: u64,
    /// The objects whose initialisers run now.
    starting: Vec<Key>,
}

impl Table {
    fn publish(&self) {
        TABLE.set((self.slots.as_ptr(), self.slots.len()));
    }
}

/// A value that is being made. Dropped by a panic of the initialiser, it leaves nothing behind.
pub(crate) struct Starting(Key);

impl Starting {
    /// # Errors
    ///
    /// If the thread is ending, or is making this value already.
    pub(crate) fn new(key: Key) -> Result<Starting, LocalError> {
        with_table(|table| {
            if table.starting.contains(&key) {
                return Err(LocalError::Recursive);
            }
            table.starting.push(key);
            Ok(Starting(key))
        })?
    }

    /// Notes where the value is.
    pub(crate) fn finish(self, value: NonNull<()>, home: Arc<dyn Home>) -> Result<(), LocalError> {
        let former = with_table(|table| {
            let place = keys::place(self.0);
            if place >= table.slots.len() {
                table.slots.resize(place + 1, NOTHING);
                table.homes.resize_with(place + 1, || None);
            }
            table.begun += 1;
            table.slots[place] = Slot { key: self.0, value: value.as_ptr() };
            let former = table.homes[place].replace((home, table.begun));
            table.publish();
            former
        })?;
        // What was in this place: the empty list of an object that is gone.
        drop(former);
        Ok(())
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        let _ = with_table(|table| table.starting.retain(|&key| key != self.0));
    }
}

/// For changes of the table. No code of the user's runs in `change`.
fn with_table<R>(change: impl FnOnce(&mut Table) -> R) -> Result<R, LocalError> {
    let ending = |_| LocalError::Ending;
    THREAD.try_with(|thread| change(&mut thread.0.borrow_mut())).map_err(ending)
}

impl Drop for Thread {
    /// The thread ends: drops its values, the newest first, as `thread_local!` does.
    ///
    /// From here on `THREAD` can't be reached, so nothing is added. A value's destructor still
    /// finds those values that have not had their turn.
    fn drop(&mut self) {
        let table = self.0.get_mut();
        let mut order: Vec<usize> = (0..table.homes.len()).collect();
        order.sort_by_key(|&place| table.homes[place].as_ref().map(|&(_, begun)| begun));
        for place in order.into_iter().rev() {
            let Some((home, _)) = table.homes[place].take() else { continue };
            let slot = std::mem::replace(&mut table.slots[place], NOTHING);
            // First out of sight, then dropped: its own destructor must not find it.
            note(place, NOTHING);
            if let Some(value) = NonNull::new(slot.value.cast_mut()) {
                home.end(value);
            }
        }
        TABLE.set((ptr::null(), 0));
    }
}
