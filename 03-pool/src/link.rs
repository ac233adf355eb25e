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
/// Words in the ring for heads and small payloads: 64 KiB stay in the cache.
const SMALL: usize = 1 << 13;
/// Words in the ring for large payloads: 4 MiB, of which the kernel gives what is used. What is
/// larger flows through, as it does through a pipe.
const BULK: usize = 1 << 19;
/// A payload of more bytes than this goes through the second ring.
pub(crate) const LARGE: usize = 16 << 10;

/// From the pool to the worker: a [`TaskHead`] and arguments, and so on.
pub(crate) const TASKS: Place = Place { head: 40, tail: 48, data: 104, len: SMALL };
pub(crate) const TASKS_BULK: Place = Place { head: 56, tail: 64, data: 104 + 2 * SMALL, len: BULK };
/// From the worker to the pool: an [`AnswerHead`] and a result, and so on.
pub(crate) const ANSWERS: Place = Place { head: 72, tail: 80, data: 104 + SMALL, len: SMALL };
pub(crate) const ANSWERS_BULK: Place =
    Place { head: 88, tail: 96, data: 104 + 2 * SMALL + BULK, len: BULK };
/// All of it.
pub(crate) const WORDS: usize = 104 + 2 * SMALL + 2 * BULK;

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
    pub len: usize,
    pub epoch: u32,
    pub entry: [u8; 16],
    /// Where in the ring for bulk the arguments begin, if they are large.
    pub start: u64,
}

impl TaskHead {
    pub(crate) const BYTES: usize = 40;

    pub(crate) fn to_bytes(self) -> [u8; TaskHead::BYTES] {
        let mut bytes = [0; TaskHead::BYTES];
        bytes[..8].copy_from_slice(&(self.len as u64).to_ne_bytes());
        bytes[8..16].copy_from_slice(&self.start.to_ne_bytes());
        bytes[16..32].copy_from_slice(&self.entry);
        bytes[32..36].copy_from_slice(&self.epoch.to_ne_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: [u8; TaskHead::BYTES]) -> TaskHead {
        let mut entry = [0; 16];
        entry.copy_from_slice(&bytes[16..32]);
        TaskHead {
            len: word(&bytes, 0) as usize,
            start: word(&bytes, 1),
            entry,
            epoch: word(&bytes, 4) as u32,
        }
    }
}

/// What stands before a result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnswerHead {
    pub len: usize,
    /// It is what a failed initializer left.
    pub not_begun: bool,
    /// As in a [`TaskHead`].
    pub start: u64,
}

impl AnswerHead {
    pub(crate) const BYTES: usize = 16;

    pub(crate) fn to_bytes(self) -> [u8; AnswerHead::BYTES] {
        let mut bytes = [0; AnswerHead::BYTES];
        // No length has the highest bit.
        let first = self.len as u64 | u64::from(self.not_begun) << 63;
        bytes[..8].copy_from_slice(&first.to_ne_bytes());
        bytes[8..].copy_from_slice(&self.start.to_ne_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: [u8; AnswerHead::BYTES]) -> AnswerHead {
        let first = word(&bytes, 0);
        let len = (first & !(1 << 63)) as usize;
        AnswerHead { len, not_begun: first >> 63 == 1, start: word(&bytes, 1) }
    }
}

fn word(bytes: &[u8], index: usize) -> u64 {
    bytes.as_chunks().0.get(index).map_or(0, |word| u64::from_ne_bytes(*word))
}
