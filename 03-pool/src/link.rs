use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

use crate::ring::Place;

// What a worker and its pool share, each word on a cache line of its own.

/// Which tasks the worker may begin: see [`claim`].
pub(crate) const CLAIMS: usize = 0;
/// What the worker sleeps for, or is about to; whoever sets it back to 0 wakes it.
pub(crate) const ASLEEP: usize = 8;
pub(crate) const FOR_TASKS: u64 = 1;
pub(crate) const FOR_ROOM: u64 = 2;
/// With how many answers given the worker is to wake the pool; 0 while the pool is awake.
pub(crate) const WAKE_AT: usize = 16;
/// 1 when the worker has come through its initializer.
pub(crate) const BEGUN: usize = 24;
/// 1 when the worker is to end as soon as it has no task.
pub(crate) const CLOSED: usize = 32;
/// From the pool to the worker: a [`TaskHead`] and arguments, and so on.
pub(crate) const TASKS: Place = Place { head: 40, tail: 48, data: 72 };
/// From the worker to the pool: an [`AnswerHead`] and a result, and so on.
pub(crate) const ANSWERS: Place = Place { head: 56, tail: 64, data: 72 + Place::WORDS };
/// Bytes in the ring of tasks.
pub(crate) const TASKS_BYTES: usize = 8 * Place::WORDS;
/// All of it.
pub(crate) const WORDS: usize = 72 + 2 * Place::WORDS;

/// The worker begins a task that was given to it in this epoch. False if the pool took it back.
///
/// The word has the epoch in its high half, and in the low one how many tasks of this epoch were
/// begun. Because both change it in one step, a task is begun or taken back, and never both:
/// that is what lets the pool give out many tasks at once, and still run the fifth where somebody
/// is free, and each at most once.
pub(crate) fn claim(word: &AtomicU64, epoch: u32) -> bool {
    let begin = |seen: u64| ((seen >> 32) as u32 == epoch).then_some(seen + 1);
    word.fetch_update(SeqCst, SeqCst, begin).is_ok()
}

/// The pool takes back every task that was not begun: a new epoch. Returns how many were begun in
/// the old one.
pub(crate) fn take_back(word: &AtomicU64, new_epoch: u32) -> u32 {
    word.swap(u64::from(new_epoch) << 32, SeqCst) as u32
}

/// How many tasks of this epoch were begun.
pub(crate) fn begun(word: &AtomicU64) -> u32 {
    word.load(SeqCst) as u32
}

/// What stands before a task's arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskHead {
    pub len: u64,
    pub epoch: u32,
    pub entry: [u8; 16],
}

impl TaskHead {
    pub(crate) const BYTES: usize = 32;

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.len.to_ne_bytes());
        bytes[8..12].copy_from_slice(&self.epoch.to_ne_bytes());
        bytes[16..].copy_from_slice(&self.entry);
        bytes
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> TaskHead {
        let (mut len, mut epoch, mut entry) = ([0; 8], [0; 4], [0; 16]);
        len.copy_from_slice(&bytes[..8]);
        epoch.copy_from_slice(&bytes[8..12]);
        entry.copy_from_slice(&bytes[16..]);
        TaskHead { len: u64::from_ne_bytes(len), epoch: u32::from_ne_bytes(epoch), entry }
    }
}

/// What stands before a result: its length, and in the highest bit whether it is the one of a failed
/// initializer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnswerHead {
    pub len: usize,
    pub not_begun: bool,
}

impl AnswerHead {
    pub(crate) const BYTES: usize = 8;

    pub(crate) fn to_bytes(self) -> [u8; 8] {
        (self.len as u64 | u64::from(self.not_begun) << 63).to_ne_bytes()
    }

    pub(crate) fn from_bytes(bytes: [u8; 8]) -> AnswerHead {
        let word = u64::from_ne_bytes(bytes);
        AnswerHead { len: (word & !(1 << 63)) as usize, not_begun: word >> 63 == 1 }
    }
}
