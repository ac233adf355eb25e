use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Release, SeqCst},
};

use crate::futex::{futex_wait, futex_wake};
use crate::handover::by_memory;
use crate::memory::{Header, SharedMemory, attach, create};
use crate::sleep::{Naps, Wait};
use crate::{Guard, LockError};

/// Where processes wait for a change of what a lock guards.
///
/// Unlike an [`Event`](crate::Event), it remembers nothing: it wakes those who wait at that moment, and
/// the state itself, under the lock, says whether there is something to wait for.
///
/// A waiter that was killed is nobody's business: waiters leave no trace in memory, the kernel knows
/// them. (In Python each one must take a permit and say so, and a dead one lets `notify_all` wait for
/// ever.)
///
/// ```
/// let (count, more) = (ipc::Value::new(0)?, ipc::Condition::new()?);
/// let child = fork::fork(|| {
///     let counted = count.update(|count| *count += 1);
///     more.notify_all();
///     i32::from(counted.is_err())
/// })?;
/// let guard = more.wait_while(count.lock()?, |count| *count == 0)?;
/// assert_eq!(*guard, 1);
/// child.wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Condition {
    memory: Arc<SharedMemory>,
}

#[derive(Debug)]
#[repr(C)]
struct Shape {
    kind: AtomicU64,
    /// Counts the notifications: who sleeps sleeps on the count that it saw under the lock.
    notified: AtomicU32,
}

// SAFETY: atomics.
unsafe impl Header for Shape {
    const KIND: u64 = u64::from_be_bytes(*b"ipccond1");
}

impl Condition {
    /// One for which nobody waits.
    ///
    /// # Errors
    ///
    /// Those of [`SharedMemory::new`].
    pub fn new() -> io::Result<Condition> {
        let condition = Condition { memory: Arc::new(create::<Shape>(0)?) };
        condition.shape().kind.store(Shape::KIND, Release);
        Ok(condition)
    }

    /// The condition behind a descriptor that came from [`fd`](Condition::fd) in another process.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is something else.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Condition> {
        Ok(Condition { memory: Arc::new(attach::<Shape>(fd)?) })
    }

    /// The descriptor to hand to another process.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.memory.fd()
    }

    /// Wakes one process that waits, if one does. It never blocks.
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Wakes all that wait. It never blocks.
    pub fn notify_all(&self) {
        self.notify(i32::MAX);
    }

    /// Opens the lock and waits until `waiting` says no; in between, it looks at each notification.
    ///
    /// # Errors
    ///
    /// As [`wait_while_within`](Condition::wait_while_within).
    pub fn wait_while<'g, T: ?Sized>(
        &self,
        guard: Guard<'g, T>,
        waiting: impl FnMut(&mut T) -> bool,
    ) -> Result<Guard<'g, T>, LockError> {
        self.wait_while_within(guard, Wait::forever(), waiting)
    }

    /// As [`wait_while`](Condition::wait_while), no longer than `wait` says. The guard that it gives
    /// back says if an owner of the lock died meanwhile.
    ///
    /// # Errors
    ///
    /// [`LockError::TimedOut`], [`LockError::PeerEnded`]: the lock is open then.
    pub fn wait_while_within<'g, 'a, T: ?Sized>(
        &self,
        mut guard: Guard<'g, T>,
        wait: impl Into<Wait<'a>>,
        mut waiting: impl FnMut(&mut T) -> bool,
    ) -> Result<Guard<'g, T>, LockError> {
        let (wait, mut naps) = (wait.into(), Naps::new());
        let mut died = guard.former_owner_died();
        loop {
            // Under the lock, as is the look: whoever changes the state does so before or after both.
            let seen = self.shape().notified.load(Acquire);
            // Asked before the look, which finds what the others did before.
            let ended = wait.ended();
            if !waiting(&mut guard) {
                guard.former_owner_died |= died;
                return Ok(guard);
            }
            if let Some(ended) = ended {
                return Err(ended.into());
            }
            guard = guard.open_while(|| {
                futex_wait(&self.shape().notified, seen, naps.next().min(wait.left()));
            })?;
            died |= guard.former_owner_died();
        }
    }

    fn notify(&self, most: i32) {
        let notified = &self.shape().notified;
        notified.fetch_add(1, SeqCst);
        futex_wake(notified, most);
    }

    fn shape(&self) -> &Shape {
        self.memory.header()
    }
}

by_memory!(Condition);
