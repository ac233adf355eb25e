// Compiled twice: here, and by `tests/loom.rs`, where the words and the kernel are loom's.
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use crate::futex::{AtomicU32, fence, futex_wait, futex_wake};

/// What one side sleeps on and the other side rings: two words in shared memory.
///
/// A ring costs a system call only if somebody may be asleep. It wakes one sleeper; who comes back
/// from a sleep and leaves something for others rings in its turn.
///
/// # Why no ring is lost
///
/// A sleeper calls [`prepare`](Bell::prepare), looks for what it waits for, and sleeps if it is not
/// there. A ringer makes its change, and calls [`ring`](Bell::ring). Either the ringer sees
/// `asleep`: then it counts `rings` up after the sleeper has read it, and the kernel lets nobody
/// sleep on an old count. Or it does not: then its change came before the sleeper's look, which
/// finds it. Each side writes one word and then reads the other one; the two fences make sure that
/// at least one of them sees the other's.
///
/// `asleep` is cleared *before* the count goes up. Cleared after it, it could be that of a sleeper who
/// comes in between with the new count, and for whom nobody would ever ring.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Bell {
    asleep: AtomicU32,
    rings: AtomicU32,
}

impl Bell {
    /// Says that somebody may sleep from now on; the number is for [`sleep`](Bell::sleep).
    pub(crate) fn prepare(&self) -> u32 {
        let rings = self.rings.load(SeqCst);
        self.asleep.store(1, SeqCst);
        fence(SeqCst);
        rings
    }

    /// Sleeps until the next ring, unless there was one since [`prepare`](Bell::prepare).
    pub(crate) fn sleep(&self, rings: u32, most: Duration) {
        futex_wait(&self.rings, rings, most);
    }

    /// Wakes one sleeper, if there may be one. Called after the change that it may wait for.
    pub(crate) fn ring(&self) {
        fence(SeqCst);
        self.pass_on();
    }

    /// As [`ring`](Bell::ring), and wakes all of them.
    pub(crate) fn ring_each(&self) {
        fence(SeqCst);
        if self.asleep.load(Relaxed) != 0 {
            self.wake(i32::MAX);
        }
    }

    /// Called by whoever may have slept here and leaves something over: a ring wakes one, and others
    /// may sleep on. This thread's own `asleep` is still there unless somebody rang since.
    pub(crate) fn pass_on(&self) {
        if self.asleep.load(Relaxed) != 0 {
            self.wake(1);
        }
    }

    /// Wakes all, and does not ask whether there are any: when something has changed for good.
    pub(crate) fn ring_all(&self) {
        fence(SeqCst);
        self.wake(i32::MAX);
    }

    #[cold]
    fn wake(&self, most: i32) {
        self.asleep.store(0, SeqCst);
        self.rings.fetch_add(1, SeqCst);
        futex_wake(&self.rings, most);
    }
}
