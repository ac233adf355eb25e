use std::io;
use std::marker::PhantomData;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::time::Duration;

use crate::LockError;
use crate::bell::Bell;
use crate::handover::by_memory;
use crate::memory::{Header, SharedMemory, attach, create, invalid};
use crate::robust::{NotTaken, Robust};
use crate::sleep::Wait;

/// A number of permits, for so many holders at a time in all processes.
///
/// Unlike a counter, which is one too low for ever when a holder is killed, it is as many locks as it
/// has permits: a dead holder's opens, and its next holder is told. A permit goes back when it is
/// dropped, so none can go back twice.
///
/// ```
/// use std::time::Duration;
///
/// let two = ipc::Semaphore::new(2)?;
/// let (first, _second) = (two.acquire()?, two.acquire()?);
/// assert!(two.acquire_within(Duration::ZERO).is_err());
/// drop(first);
/// assert!(two.acquire_within(Duration::ZERO).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Semaphore {
    memory: Arc<SharedMemory>,
}

#[derive(Debug)]
#[repr(C)]
struct Shape {
    kind: AtomicU64,
    permits: AtomicU32,
    bell: Bell,
    /// As many as there are permits are used.
    slots: [Robust; MOST],
}

/// The most permits: the kernel opens so many locks of a dead thread, and some more.
const MOST: usize = 1024;

// SAFETY: atomics, a bell, which is atomics, and locks that are given to their functions only.
unsafe impl Header for Shape {
    const KIND: u64 = u64::from_be_bytes(*b"ipcsema1");
}

impl Semaphore {
    /// One with so many permits, all of them free.
    ///
    /// # Errors
    ///
    /// `EINVAL` for none, or more than 1024; those of [`SharedMemory::new`].
    pub fn new(permits: usize) -> io::Result<Semaphore> {
        if !(1..=MOST).contains(&permits) {
            return Err(invalid());
        }
        let semaphore = Semaphore { memory: Arc::new(create::<Shape>(0)?) };
        let shape = semaphore.shape();
        for slot in &shape.slots[..permits] {
            // SAFETY: the memory was made just now, and nobody else has it.
            unsafe { slot.init() }?;
        }
        shape.permits.store(permits as u32, Relaxed);
        shape.kind.store(Shape::KIND, Release);
        Ok(semaphore)
    }

    /// The semaphore behind a descriptor that came from [`fd`](Semaphore::fd) in another process.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is something else.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Semaphore> {
        Ok(Semaphore { memory: Arc::new(attach::<Shape>(fd)?) })
    }

    /// The descriptor to hand to another process.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.memory.fd()
    }

    /// How many there are, free or not.
    pub fn permits(&self) -> usize {
        self.slots().len()
    }

    /// Takes a permit, waiting for one. A holder's death frees its permit within a quarter of a second.
    ///
    /// # Errors
    ///
    /// [`LockError::Broken`].
    pub fn acquire(&self) -> Result<Permit<'_>, LockError> {
        self.acquire_within(Wait::forever())
    }

    /// Takes a permit if one is free.
    ///
    /// # Errors
    ///
    /// [`LockError::TimedOut`], [`LockError::Broken`].
    pub fn try_acquire(&self) -> Result<Permit<'_>, LockError> {
        self.acquire_within(Duration::ZERO)
    }

    /// Takes a permit, waiting for one no longer than `wait` says.
    ///
    /// # Errors
    ///
    /// [`LockError::TimedOut`], [`LockError::PeerEnded`], [`LockError::Broken`].
    pub fn acquire_within<'a>(&self, wait: impl Into<Wait<'a>>) -> Result<Permit<'_>, LockError> {
        let bell = &self.shape().bell;
        let (slot, former_holder_died) =
            bell.wait(&wait.into(), || self.free_slot().transpose(), || false)??;
        // One ring wakes one: if more are free, so does this one.
        bell.pass_on();
        self.memory.held.fetch_add(1, Relaxed);
        Ok(Permit { semaphore: self, slot, former_holder_died, of_this_thread: PhantomData })
    }

    /// Takes the first slot that is free.
    fn free_slot(&self) -> Result<Option<(&Robust, bool)>, LockError> {
        for slot in self.slots() {
            match slot.try_lock() {
                Ok(died) => return Ok(Some((slot, died))),
                // Another one, or another permit of this thread, has it.
                Err(NotTaken::Busy | NotTaken::Mine) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    fn slots(&self) -> &[Robust] {
        let shape = self.shape();
        &shape.slots[..(shape.permits.load(Acquire) as usize).min(MOST)]
    }

    fn shape(&self) -> &Shape {
        self.memory.header()
    }
}

by_memory!(Semaphore);

/// A permit of a [`Semaphore`]; dropping it gives it back. It stays in its thread.
#[derive(Debug)]
#[must_use = "the permit goes back at once when it is dropped"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    slot: &'a Robust,
    former_holder_died: bool,
    of_this_thread: PhantomData<*const ()>,
}

impl Permit<'_> {
    /// Whether the one that had it before was killed, or ended, while it had it.
    pub fn former_holder_died(&self) -> bool {
        self.former_holder_died
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.slot.unlock();
        self.semaphore.memory.held.fetch_sub(1, Relaxed);
        self.semaphore.shape().bell.ring();
    }
}
