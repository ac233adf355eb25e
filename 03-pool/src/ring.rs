use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Words in a ring: 64 KiB, so that it stays in the cache. What is larger flows through, as it does
/// through a pipe.
const WORDS: usize = 1 << 13;
const MASK: u64 = WORDS as u64 - 1;

/// Where a ring lies in the shared words. Both positions count words since the beginning, and never
/// go back: what lies between them is written and not read yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The reader's position, on a cache line of its own, as the writer's.
    pub head: usize,
    pub tail: usize,
    pub data: usize,
}

impl Place {
    pub(crate) const WORDS: usize = WORDS;

    /// The piece of the ring from `position` on, in two parts if it goes around the end.
    fn piece<'a>(&self, words: &'a [AtomicU64], position: u64, len: usize) -> [&'a [AtomicU64]; 2] {
        let ring = &words[self.data..][..WORDS];
        let start = (position & MASK) as usize;
        let first = len.min(WORDS - start);
        [&ring[start..start + first], &ring[..len - first]]
    }
}

/// The writing end of a pipe in shared memory.
///
/// Unlike a pipe of the kernel's, it costs no system call and never waits: it takes what there is
/// room for. One process has it, and the other one has the [`Reader`].
#[derive(Debug)]
pub(crate) struct Writer {
    place: Place,
    tail: u64,
    /// The reader's position when it was last looked at: looking costs a cache line's way.
    head: u64,
}

impl Writer {
    pub(crate) fn new(place: Place) -> Writer {
        Writer { place, tail: 0, head: 0 }
    }

    /// How many bytes there is room for; looks at the reader if it is fewer than `wanted`.
    pub(crate) fn room(&mut self, words: &[AtomicU64], wanted: usize) -> usize {
        let room = |writer: &Writer| {
            // A position that can't be right, written by a process run wild, is no room.
            let used = writer.tail.wrapping_sub(writer.head);
            (WORDS as u64).saturating_sub(used) as usize * 8
        };
        if room(self) < wanted {
            self.head = words[self.place.head].load(Acquire);
        }
        room(self)
    }

    /// Writes the beginning of `bytes`, and says how much. The reader sees it when it is
    /// [published](Writer::publish). Every piece but a record's last is whole words.
    pub(crate) fn write(&mut self, words: &[AtomicU64], bytes: &[u8]) -> usize {
        let len = bytes.len().min(self.room(words, bytes.len()));
        let (whole, rest) = bytes[..len].as_chunks::<8>();
        let count = whole.len() + usize::from(!rest.is_empty());
        let [first, second] = self.place.piece(words, self.tail, count);
        let (before, after) = whole.split_at(whole.len().min(first.len()));
        // Two plain loops: a chain of both asks at each word which one it is in.
        for (words, bytes) in [(first, before), (second, after)] {
            for (word, bytes) in words.iter().zip(bytes) {
                word.store(u64::from_ne_bytes(*bytes), Relaxed);
            }
        }
        if let (false, Some(word)) = (rest.is_empty(), second.last().or(first.last())) {
            let mut bytes = [0; 8];
            bytes[..rest.len()].copy_from_slice(rest);
            word.store(u64::from_ne_bytes(bytes), Relaxed);
        }
        self.tail += count as u64;
        len
    }

    /// Shows the reader all that was written.
    pub(crate) fn publish(&self, words: &[AtomicU64]) {
        words[self.place.tail].store(self.tail, Release);
    }
}

/// The reading end of a pipe in shared memory.
#[derive(Debug)]
pub(crate) struct Reader {
    place: Place,
    head: u64,
    /// The writer's position when it was last looked at.
    tail: u64,
}

impl Reader {
    pub(crate) fn new(place: Place) -> Reader {
        Reader { place, head: 0, tail: 0 }
    }

    /// Whether there is something; looks at the writer if nothing is known of.
    pub(crate) fn is_empty(&mut self, words: &[AtomicU64]) -> bool {
        if self.head == self.tail {
            self.tail = words[self.place.tail].load(Acquire);
        }
        self.head == self.tail
    }

    /// Reads the next bytes, as many as there are, and says how many. A record ends at a word's end,
    /// so the rest of its last word is passed over.
    pub(crate) fn read(&mut self, words: &[AtomicU64], into: &mut [u8]) -> usize {
        let needed = into.len().div_ceil(8);
        if ((self.tail - self.head) as usize) < needed {
            self.tail = words[self.place.tail].load(Acquire);
        }
        // Never more than the ring holds, whatever the writer claims.
        let count = needed.min(self.tail.wrapping_sub(self.head) as usize).min(WORDS);
        let len = into.len().min(count * 8);
        let (whole, rest) = into[..len].as_chunks_mut::<8>();
        let [first, second] = self.place.piece(words, self.head, count);
        let (before, after) = whole.split_at_mut(whole.len().min(first.len()));
        for (words, bytes) in [(first, before), (second, after)] {
            for (word, bytes) in words.iter().zip(bytes) {
                *bytes = word.load(Relaxed).to_ne_bytes();
            }
        }
        if let (false, Some(word)) = (rest.is_empty(), second.last().or(first.last())) {
            rest.copy_from_slice(&word.load(Relaxed).to_ne_bytes()[..rest.len()]);
        }
        self.head += count as u64;
        len
    }

    /// Gives the writer the room of all that was read.
    pub(crate) fn release(&self, words: &[AtomicU64]) {
        words[self.place.head].store(self.head, Release);
    }
}
