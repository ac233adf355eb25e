use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, Release},
};
use std::time::{Duration, Instant};

use crate::LockError;
use crate::handover::by_memory;
use crate::memory::{Header, SharedMemory, attach, create, invalid};
use crate::robust::{NotTaken, Robust};

/// A lock between processes, whose next owner is told that the former one died.
///
/// Unlike a [`std::sync::Mutex`], it is in shared memory: every process forked from here on has it,
/// and [`Handover`](crate::Handover) gives it to others. Unlike Python's `multiprocessing.Lock`, which
/// is lost for ever when its owner is killed, it opens with its owner's end, whatever the end was, and
/// [`Guard::former_owner_died`] says so: what the dead one was changing may be half done. Only whoever
/// took it can open it.
///
/// ```
/// let lock = ipc::Lock::new()?;
/// let child = fork::fork(|| match lock.lock() {
///     Ok(_guard) => std::process::abort(),
///     Err(_) => 1,
/// })?;
/// child.wait()?;
/// assert!(lock.lock()?.former_owner_died());
/// assert!(!lock.lock()?.former_owner_died()); // said once
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It guards no data of its own: [`Value`](crate::Value) and [`Array`](crate::Array) do.
#[derive(Debug, Clone)]
pub struct Lock {
    locked: Locked,
}

impl Lock {
    /// An open lock.
    ///
    /// # Errors
    ///
    /// Those of [`SharedMemory::new`].
    pub fn new() -> io::Result<Lock> {
        Ok(Lock { locked: Locked::new(0, 0, |_| ())? })
    }

    /// The lock behind a descriptor that came from [`fd`](Lock::fd) in another process.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is something else.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Lock> {
        Ok(Lock { locked: Locked::from_fd(fd, 0)?.0 })
    }

    /// The descriptor to hand to another process.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.locked.memory.fd()
    }

    /// Takes it, waiting for as long as its owner lives and keeps it.
    ///
    /// # Errors
    ///
    /// [`LockError::HeldHere`] when this thread has it already.
    pub fn lock(&self) -> Result<Guard<'_>, LockError> {
        self.locked.lock(None, NonNull::dangling)
    }

    /// Takes it, waiting at most that long.
    ///
    /// # Errors
    ///
    /// [`LockError::TimedOut`], and as [`lock`](Lock::lock).
    pub fn lock_within(&self, timeout: Duration) -> Result<Guard<'_>, LockError> {
        self.locked.lock(Instant::now().checked_add(timeout), NonNull::dangling)
    }

    /// Takes it if it is open.
    ///
    /// # Errors
    ///
    /// [`LockError::TimedOut`], and as [`lock`](Lock::lock).
    pub fn try_lock(&self) -> Result<Guard<'_>, LockError> {
        self.locked.try_lock(NonNull::dangling)
    }
}

by_memory!(Lock);

/// Holds a lock, and gives access to what it guards; dropping it opens the lock.
///
/// It stays in its thread: the kernel, which opens the locks of the dead, knows their owners by
/// thread.
///
/// ```compile_fail,E0277
/// let lock = ipc::Lock::new().unwrap();
/// let guard = lock.lock().unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(guard));
/// });
/// ```
#[must_use = "the lock opens again at once when the guard is dropped"]
pub struct Guard<'a, T: ?Sized = ()> {
    locked: &'a Locked,
    data: NonNull<T>,
    pub(crate) former_owner_died: bool,
    access: PhantomData<&'a mut T>,
}

impl<'a, T: ?Sized> Guard<'a, T> {
    /// Whether the one that had it before was killed, or ended, while it had it. What it guards is as
    /// that one left it.
    pub fn former_owner_died(&self) -> bool {
        self.former_owner_died
    }

    /// Opens the lock while `meanwhile` runs, and takes it again.
    pub(crate) fn open_while(self, meanwhile: impl FnOnce()) -> Result<Guard<'a, T>, LockError> {
        let (locked, data) = (self.locked, self.data);
        drop(self);
        meanwhile();
        locked.lock(None, || data)
    }
}

impl<T: ?Sized> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: see `deref_mut`.
        unsafe { self.data.as_ref() }
    }
}

impl<T: ?Sized> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: it points to valid data in memory that is mapped for longer than the guard lives.
        // The lock is held, by this guard alone, and all processes touch the data under the lock only.
        unsafe { self.data.as_mut() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Guard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let died = self.former_owner_died;
        f.debug_struct("Guard").field("data", &&**self).field("former_owner_died", &died).finish()
    }
}

impl<T: ?Sized> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        self.locked.shape().lock.unlock();
        self.locked.memory.held.fetch_sub(1, Relaxed);
    }
}

/// Shared memory that begins with a lock, and what the lock guards behind it.
#[derive(Debug, Clone)]
pub(crate) struct Locked {
    pub(crate) memory: Arc<SharedMemory>,
}

#[derive(Debug)]
#[repr(C, align(64))]
struct Shape {
    kind: AtomicU64,
    /// How many values are behind it, and the bytes of each.
    len: AtomicU64,
    each: AtomicU64,
    lock: Robust,
}

// SAFETY: atomics, and a lock that is given to its functions only.
unsafe impl Header for Shape {
    const KIND: u64 = u64::from_be_bytes(*b"ipclock1");
}

impl Locked {
    /// An open lock, and room for `len` values of `each` bytes behind it; `fill` gets the address
    /// before others know of it.
    pub(crate) fn new(
        len: usize,
        each: usize,
        fill: impl FnOnce(NonNull<u8>),
    ) -> io::Result<Locked> {
        let size = len.checked_mul(each).and_then(|size| size.checked_add(size_of::<Shape>()));
        let memory = Arc::new(create::<Shape>(size.ok_or_else(invalid)?)?);
        let locked = Locked { memory };
        fill(locked.data());
        let shape = locked.shape();
        // SAFETY: the memory was made just now, and nobody else has it.
        unsafe { shape.lock.init() }?;
        shape.len.store(len as u64, Relaxed);
        shape.each.store(each as u64, Relaxed);
        shape.kind.store(Shape::KIND, Release);
        Ok(locked)
    }

    /// The lock behind a descriptor, and how many values it guards, if they have so many bytes each.
    pub(crate) fn from_fd(fd: OwnedFd, each: usize) -> io::Result<(Locked, usize)> {
        let locked = Locked { memory: Arc::new(attach::<Shape>(fd)?) };
        let (shape, room) = (locked.shape(), locked.memory.size() - size_of::<Shape>());
        let len = usize::try_from(shape.len.load(Relaxed)).map_err(|_| invalid())?;
        let fits = len.checked_mul(each).is_some_and(|size| size <= room);
        let same = shape.each.load(Relaxed) == each as u64;
        if fits && same { Ok((locked, len)) } else { Err(invalid()) }
    }

    /// Where the values are, aligned to 64 bytes.
    pub(crate) fn data(&self) -> NonNull<u8> {
        // SAFETY: the memory is at least as long as its header.
        unsafe { self.memory.start().add(size_of::<Shape>()) }
    }

    pub(crate) fn lock<T: ?Sized>(
        &self,
        deadline: Option<Instant>,
        data: impl FnOnce() -> NonNull<T>,
    ) -> Result<Guard<'_, T>, LockError> {
        self.guard(self.shape().lock.lock(deadline), data)
    }

    pub(crate) fn try_lock<T: ?Sized>(
        &self,
        data: impl FnOnce() -> NonNull<T>,
    ) -> Result<Guard<'_, T>, LockError> {
        self.guard(self.shape().lock.try_lock(), data)
    }

    fn guard<T: ?Sized>(
        &self,
        taken: Result<bool, NotTaken>,
        data: impl FnOnce() -> NonNull<T>,
    ) -> Result<Guard<'_, T>, LockError> {
        let former_owner_died = taken?;
        self.memory.held.fetch_add(1, Relaxed);
        Ok(Guard { locked: self, data: data(), former_owner_died, access: PhantomData })
    }

    fn shape(&self) -> &Shape {
        self.memory.header()
    }
}

impl From<NotTaken> for LockError {
    fn from(error: NotTaken) -> LockError {
        match error {
            NotTaken::Busy => LockError::TimedOut,
            NotTaken::Mine => LockError::HeldHere,
            NotTaken::Broken => LockError::Broken,
        }
    }
}
