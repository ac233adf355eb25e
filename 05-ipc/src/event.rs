use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::LockError;
use crate::bell::Bell;
use crate::handover::by_memory;
use crate::memory::{Header, SharedMemory, attach, create};
use crate::sleep::{Ended, Wait};

/// Something that has happened, or not: processes wait until it has.
///
/// Unlike a [`Condition`](crate::Condition), it remembers: who comes after [`set`](Event::set) does not
/// wait at all. Who is waiting when it is set goes on, even if it is cleared at once.
///
/// ```
/// let ready = ipc::Event::new()?;
/// let child = fork::fork(|| {
///     ready.set();
///     0
/// })?;
/// ready.wait();
/// assert!(ready.is_set());
/// child.wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Event {
    memory: Arc<SharedMemory>,
}

#[derive(Debug)]
#[repr(C)]
struct Shape {
    kind: AtomicU64,
    /// Counts the changes: even, it is clear, odd, it is set. So a waiter sees that it was set though
    /// it is clear again.
    changes: AtomicU32,
    bell: Bell,
}

// SAFETY: atomics, and a bell, which is atomics.
unsafe impl Header for Shape {
    const KIND: u64 = u64::from_be_bytes(*b"ipcevnt1");
}

impl Event {
    /// An event that has not happened.
    ///
    /// # Errors
    ///
    /// Those of [`SharedMemory::new`].
    pub fn new() -> io::Result<Event> {
        let memory = Arc::new(create::<Shape>(0)?);
        let event = Event { memory };
        event.shape().kind.store(Shape::KIND, Release);
        Ok(event)
    }

    /// The event behind a descriptor that came from [`fd`](Event::fd) in another process.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is something else.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Event> {
        Ok(Event { memory: Arc::new(attach::<Shape>(fd)?) })
    }

    /// The descriptor to hand to another process.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.memory.fd()
    }

    /// It has happened: all who wait go on.
    pub fn set(&self) {
        self.change(0);
        self.shape().bell.ring_all();
    }

    /// It has not happened, from now on.
    pub fn clear(&self) {
        self.change(1);
    }

    /// Whether it has happened.
    pub fn is_set(&self) -> bool {
        self.shape().changes.load(Acquire) % 2 == 1
    }

    /// Waits until it has happened. The wait has no deadline, and an event has no owner whose death
    /// could end it: [`wait_within`](Event::wait_within) takes a limit or a process to watch.
    pub fn wait(&self) {
        // Without a limit and a process there is no error.
        let _ = self.wait_within(Wait::forever());
    }

    /// Waits until it has happened, no longer than `wait` says.
    ///
    /// # Errors
    ///
    /// [`LockError::TimedOut`], [`LockError::PeerEnded`].
    pub fn wait_within<'a>(&self, wait: impl Into<Wait<'a>>) -> Result<(), LockError> {
        let Shape { changes, bell, .. } = self.shape();
        let before = changes.load(Acquire);
        let happened = || {
            let now = changes.load(Acquire);
            (now % 2 == 1 || now != before).then_some(())
        };
        bell.wait(&wait.into(), happened, || false).map_err(LockError::from)
    }

    /// Counts up if its state is this one.
    fn change(&self, from: u32) {
        let one = |changes: u32| (changes % 2 == from).then(|| changes.wrapping_add(1));
        // Nothing to do if it is so already.
        let _ = self.shape().changes.fetch_update(Release, Relaxed, one);
    }

    fn shape(&self) -> &Shape {
        self.memory.header()
    }
}

by_memory!(Event);

impl From<Ended> for LockError {
    fn from(ended: Ended) -> LockError {
        match ended {
            Ended::TimedOut => LockError::TimedOut,
            Ended::Peer | Ended::Closed => LockError::PeerEnded,
        }
    }
}
