//! The queue's limit: numbers in shared memory, and nothing that is not needed for them.

use std::hint::spin_loop;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::thread::yield_now;

use ::fork::SharedWords;
use nix::poll::poll;

use crate::measure::Outcome;

/// The leanest queue: one who puts, one who gets, numbers only, and nobody ever dies or sleeps.
pub(crate) struct Words(SharedWords);

impl Words {
    const ROOM: u64 = 1024;

    pub(crate) fn new() -> Outcome<Words> {
        Ok(Words(SharedWords::new(Words::ROOM as usize + 32)?))
    }

    fn tail(&self) -> &AtomicU64 {
        &self.0[0]
    }

    fn head(&self) -> &AtomicU64 {
        &self.0[16]
    }

    pub(crate) fn put(&self, number: u64) {
        let tail = self.tail().load(Acquire);
        until(|| tail - self.head().load(Acquire) < Words::ROOM);
        self.0[32 + (tail % Words::ROOM) as usize].store(number, Release);
        self.tail().store(tail + 1, Release);
    }

    pub(crate) fn get(&self) -> u64 {
        let head = self.head().load(Acquire);
        until(|| head < self.tail().load(Acquire));
        let number = self.0[32 + (head % Words::ROOM) as usize].load(Acquire);
        self.head().store(head + 1, Release);
        number
    }
}

/// Looks and yields; between its turns, which is when nothing comes for long, it leaves the CPU to the
/// other sides.
fn until(there: impl Fn() -> bool) {
    let mut looks = 0_u32;
    while !there() {
        looks += 1;
        match looks {
            20_000.. => drop(poll(&mut [], 1_u8)),
            _ if looks.is_multiple_of(20) => yield_now(),
            _ => spin_loop(),
        }
    }
}
