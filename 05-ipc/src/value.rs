use std::io;
use std::marker::PhantomData;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use crate::handover::by_memory;
use crate::lock::Locked;
use crate::memory::invalid;
use crate::{Guard, LockError};

/// A number of plain values that several processes change, one at a time.
///
/// Unlike [`SharedMemory`](crate::SharedMemory), whose words anybody changes at any time, it has a lock,
/// and no way around it. It is Python's `multiprocessing.Array`, whose lock can be forgotten.
///
/// ```
/// let counts = ipc::Array::new(&[0_u32; 3])?;
/// let child = fork::fork(|| counts.lock().map_or(1, |mut counts| {
///     counts[2] += 5;
///     0
/// }))?;
/// child.wait()?;
/// assert_eq!(*counts.lock()?, [0, 0, 5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A value that points to something would point elsewhere in another process:
///
/// ```compile_fail,E0277
/// ipc::Array::new(&["a", "b"]);
/// ```
#[derive(Debug, Clone)]
pub struct Array<T> {
    locked: Locked,
    len: usize,
    values: PhantomData<fn() -> T>,
}

/// A plain value that several processes change, one at a time: an [`Array`] of one.
///
/// ```
/// let total = ipc::Value::new(0_u64)?;
/// let add = || i32::from(total.update(|total| *total += 7).is_err());
/// let children = [fork::fork(add)?, fork::fork(add)?];
/// for child in children {
///     child.wait()?;
/// }
/// assert_eq!(total.get()?, 14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Value<T>(Array<T>);

/// What may be in memory that other processes write to: any bytes of its size are a valid value, and it
/// means the same in every process. So numbers, and no references.
///
/// # Safety
///
/// It has no padding, no invalid bytes (as `bool` and `char` have), no pointers and no interior
/// mutability.
pub unsafe trait Plain: Copy + 'static {}

macro_rules! plain {
    ($($type:ty)+) => {
        $(
            // SAFETY: any bytes are a number.
            unsafe impl Plain for $type {}
        )+
    };
}
plain!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

// SAFETY: elements lie beside each other without padding, and each one is plain.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

impl<T: Plain> Array<T> {
    /// A copy of these values in shared memory.
    ///
    /// # Errors
    ///
    /// Those of [`SharedMemory::new`](crate::SharedMemory::new); `EINVAL` for a type that takes no
    /// room, or must be aligned to more than 64 bytes.
    pub fn new(values: &[T]) -> io::Result<Array<T>> {
        if size_of::<T>() == 0 || align_of::<T>() > 64 {
            return Err(invalid());
        }
        let locked = Locked::new(values.len(), size_of::<T>(), |data| {
            let from = NonNull::from(values).cast::<T>();
            // SAFETY: there is room for them, aligned, which nobody else knows of yet.
            unsafe { data.cast().copy_from_nonoverlapping(from, values.len()) }
        })?;
        Ok(Array { locked, len: values.len(), values: PhantomData })
    }

    /// The values behind a descriptor that came from [`fd`](Array::fd) in another process.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is something else, or of values of another size.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Array<T>> {
        let (locked, len) = Locked::from_fd(fd, size_of::<T>())?;
        Ok(Array { locked, len, values: PhantomData })
    }

    /// The descriptor to hand to another process.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.locked.memory.fd()
    }

    /// Takes the lock, and with it the values, waiting for as long as its owner lives and keeps it.
    ///
    /// # Errors
    ///
    /// As [`Lock::lock`](crate::Lock::lock).
    pub fn lock(&self) -> Result<Guard<'_, [T]>, LockError> {
        self.locked.lock(None, || self.slice())
    }

    /// As [`lock`](Array::lock), waiting at most that long.
    ///
    /// # Errors
    ///
    /// As [`Lock::lock_within`](crate::Lock::lock_within).
    pub fn lock_within(&self, timeout: Duration) -> Result<Guard<'_, [T]>, LockError> {
        self.locked.lock(Instant::now().checked_add(timeout), || self.slice())
    }

    fn slice(&self) -> NonNull<[T]> {
        NonNull::slice_from_raw_parts(self.locked.data().cast(), self.len)
    }
}

impl<T: Plain> Value<T> {
    /// This value in shared memory.
    ///
    /// # Errors
    ///
    /// As [`Array::new`].
    pub fn new(value: T) -> io::Result<Value<T>> {
        Ok(Value(Array::new(&[value])?))
    }

    /// The value behind a descriptor that came from [`fd`](Value::fd) in another process.
    ///
    /// # Errors
    ///
    /// As [`Array::from_fd`].
    pub fn from_fd(fd: OwnedFd) -> io::Result<Value<T>> {
        let array = Array::from_fd(fd)?;
        if array.len == 1 { Ok(Value(array)) } else { Err(invalid()) }
    }

    /// The descriptor to hand to another process.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.fd()
    }

    /// Takes the lock, and with it the value.
    ///
    /// # Errors
    ///
    /// As [`Lock::lock`](crate::Lock::lock).
    pub fn lock(&self) -> Result<Guard<'_, T>, LockError> {
        self.0.locked.lock(None, || self.0.locked.data().cast())
    }

    /// What it is at this moment.
    ///
    /// # Errors
    ///
    /// As [`lock`](Value::lock).
    pub fn get(&self) -> Result<T, LockError> {
        self.lock().map(|value| *value)
    }

    /// Changes it, and returns what `change` does. Nobody comes in between: `get` and then `set`, as
    /// two calls, would lose the changes of others, which is why there is no `set`.
    ///
    /// # Errors
    ///
    /// As [`lock`](Value::lock).
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R, LockError> {
        self.lock().map(|mut value| change(&mut value))
    }
}

by_memory!(Value<T: Plain>);
by_memory!(Array<T: Plain>);
