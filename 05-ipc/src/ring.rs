use std::io;
use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::ptr::copy_nonoverlapping as copy;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

use crate::memory::{Header, SharedMemory, attach, create, invalid};
use crate::robust::{NotTaken, Robust};
use crate::shape::{MESSAGES, Shape, Side, beyond, bytes, messages};
use crate::sleep::{Ended, Wait};

/// A ring of messages in shared memory: bytes in, the same bytes out, in order.
///
/// Unlike a [`Queue`](crate::Queue), which is made of one, it has no types, and does not know who
/// else has it. Any number of processes put and get at the same time, each message is got once.
///
/// # Why a kill can't break it
///
/// One robust lock for those who put, another one for those who get. A message is written behind the
/// last one, and then *one* store of *one* word (`tail`) makes it part of the ring. Whoever is killed
/// before that store has changed nothing that anybody looks at: the next one is told by the lock,
/// and writes over it. After it, the message is whole. Those who get do the same with `head`.
#[derive(Debug)]
pub struct Ring {
    memory: SharedMemory,
    /// Bytes for messages: a power of two. A copy, which no other process can change.
    room: u32,
    /// The most messages at a time.
    capacity: u32,
}

/// Before each message its length; after it, nothing up to a multiple of this.
const LENGTH: u32 = 4;
/// Places count bytes modulo 2^32, so the room is at most a power below.
const MOST: usize = 1 << 30;
/// How long a `try_…` waits for somebody who is in the middle of a copy, or was stopped there.
const GRACE: Duration = Duration::from_millis(10);

/// What became of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    Done,
    Closed,
    TooLarge,
}

impl Ring {
    /// Room for `capacity` messages, which are `room` bytes together at most, counting 4 bytes
    /// and the rounding up to the next 4 for each. `room` is rounded up to a power of two.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a capacity of 0, or beyond 2^31 messages or 1 GiB; the errors of
    /// [`SharedMemory::new`].
    pub fn new(capacity: usize, room: usize) -> io::Result<Ring> {
        if !(1..=1 << 31).contains(&capacity) || !(8..=MOST).contains(&room) {
            return Err(invalid());
        }
        let (room, capacity) = (room.next_power_of_two(), capacity as u32);
        let memory = create::<Shape>(MESSAGES + room)?;
        let ring = Ring { memory, room: room as u32, capacity };
        let shape = ring.shape();
        for side in [&shape.putters, &shape.getters] {
            // SAFETY: the memory was made just now, and nobody else has it.
            unsafe { side.lock.init() }?;
        }
        shape.room.store(ring.room, Relaxed);
        shape.capacity.store(capacity, Relaxed);
        shape.kind.store(Shape::KIND, Release);
        Ok(ring)
    }

    /// The ring behind a descriptor that came from [`fd`](Ring::fd) in another process.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is something else.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Ring> {
        let memory = attach::<Shape>(fd)?;
        let shape = memory.header::<Shape>();
        let (room, capacity) = (shape.room.load(Relaxed), shape.capacity.load(Relaxed));
        let fits = memory.size().checked_sub(MESSAGES).is_some_and(|size| room as usize <= size);
        if !fits || !room.is_power_of_two() || room < 8 || capacity == 0 {
            return Err(invalid());
        }
        Ok(Ring { memory, room, capacity })
    }

    /// The descriptor to hand to another process.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.memory.fd()
    }

    /// How many messages it holds at most.
    pub fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// How many bytes the largest message may have.
    pub fn largest(&self) -> usize {
        (self.room - LENGTH) as usize
    }

    /// How many messages are in it at this moment.
    pub fn len(&self) -> usize {
        let shape = self.shape();
        let got = shape.getters.place.load(Acquire);
        let put = shape.putters.place.load(Acquire);
        // Got may have grown between the two looks, and put with it: never more than there is room.
        messages(put).wrapping_sub(messages(got)).min(self.capacity) as usize
    }

    /// Whether there is no message in it at this moment.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often a process was killed in the middle of a put or get, as far as somebody came by and
    /// was told. Nothing was lost then but what the killed process had in its hands.
    pub fn crashes(&self) -> u32 {
        self.shape().crashes.load(Relaxed)
    }

    /// Puts a copy of `message` if there is room at once; whether it did.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` when it is larger than the ring; `EPIPE` when the ring was closed.
    pub fn try_put(&self, message: &[u8]) -> io::Result<bool> {
        match self.put(message, &Wait::at_most(Duration::ZERO), || false) {
            Ok(Put::Done) => Ok(true),
            Ok(Put::Closed) => Err(io::Error::from_raw_os_error(libc::EPIPE)),
            Ok(Put::TooLarge) => Err(io::Error::from_raw_os_error(libc::EMSGSIZE)),
            Err(_) => Ok(false),
        }
    }

    /// Takes the next message, if there is one, and puts it in the place of what is in `into`.
    pub fn try_get(&self, into: &mut Vec<u8>) -> bool {
        self.get(into, &Wait::at_most(Duration::ZERO), || false).is_ok()
    }

    /// Puts a message, waiting for room. `gone` says whether nobody is left who could make some.
    #[inline]
    pub(crate) fn put(
        &self,
        message: &[u8],
        wait: &Wait<'_>,
        gone: impl FnMut() -> bool,
    ) -> Result<Put, Ended> {
        let side = &self.shape().putters;
        let Some(length) = self.length(message.len()) else { return Ok(Put::TooLarge) };
        let put = side.bell.0.wait(wait, || self.put_now(message, length, wait.deadline), gone)?;
        self.shape().getters.bell.0.ring();
        Ok(put)
    }

    fn put_now(&self, message: &[u8], length: u32, deadline: Option<Instant>) -> Option<Put> {
        let shape = self.shape();
        let side = &shape.putters;
        // Without the lock, and first on this side's own cache line: a mere look must not slow down
        // the others.
        if !self.fits(side.place.load(Relaxed), side.other.load(Relaxed), length)
            && !self.has_room(length)
            && shape.closed.load(Acquire) == 0
        {
            return None;
        }
        let _held = self.hold(side, deadline)?;
        if shape.closed.load(Relaxed) != 0 {
            return Some(Put::Closed);
        }
        let place = side.place.load(Relaxed);
        if !self.fits(place, side.other.load(Relaxed), length) {
            let head = shape.getters.place.load(Acquire);
            side.other.store(head, Relaxed);
            if !self.fits(place, head, length) {
                return None;
            }
        }
        let (at, size) = (bytes(place), message.len() as u32);
        for (at, bytes) in [(at, &size.to_ne_bytes()[..]), (at.wrapping_add(LENGTH), message)] {
            for (at, part) in self.parts(at, bytes.len()) {
                let part = &bytes[part];
                // SAFETY: `parts` gives addresses in the mapping, with room for the part. This thread
                // holds the putters' lock, and it was checked that the room is free: nobody else
                // touches it, since those who get stop at the tail.
                unsafe { copy(part.as_ptr(), at, part.len()) };
            }
        }
        // The commit: with it, and not before, the message is there.
        side.place.store(beyond(place, length), Release);
        Some(Put::Done)
    }

    /// Takes a message, waiting for one. `gone` says whether nobody is left who could put one.
    #[inline]
    pub(crate) fn get(
        &self,
        into: &mut Vec<u8>,
        wait: &Wait<'_>,
        gone: impl Fn() -> bool,
    ) -> Result<(), Ended> {
        let shape = self.shape();
        let side = &shape.getters;
        let closed = || shape.closed.load(Acquire) != 0 || gone();
        side.bell.0.wait(wait, || self.get_now(into, wait.deadline), closed)?;
        // All who wait for room: the one that is woken alone might need more than there is, and sleep
        // on, while another one's message would fit.
        shape.putters.bell.0.ring_each();
        side.bell.0.pass_on();
        Ok(())
    }

    fn get_now(&self, into: &mut Vec<u8>, deadline: Option<Instant>) -> Option<()> {
        let shape = self.shape();
        let side = &shape.getters;
        let place = side.place.load(Relaxed);
        if place == side.other.load(Relaxed) && place == shape.putters.place.load(Relaxed) {
            return None;
        }
        let _held = self.hold(side, deadline)?;
        let place = side.place.load(Relaxed);
        if place == side.other.load(Relaxed) {
            let tail = shape.putters.place.load(Acquire);
            side.other.store(tail, Relaxed);
            if place == tail {
                return None;
            }
        }
        let mut size = [0; LENGTH as usize];
        self.read(bytes(place), LENGTH as usize, size.as_mut_ptr());
        // A ring that somebody wrote over gives a wrong message, and no access beyond the mapping.
        let size = (u32::from_ne_bytes(size) as usize).min(self.largest());
        into.clear();
        into.reserve(size);
        self.read(bytes(place).wrapping_add(LENGTH), size, into.as_mut_ptr());
        // SAFETY: there is room for so many, and all of them were written just now.
        unsafe { into.set_len(size) };
        let length = (size as u32).next_multiple_of(LENGTH) + LENGTH;
        side.place.store(beyond(place, length), Release);
        Some(())
    }

    /// No more puts; what is in it can still be got.
    pub(crate) fn close(&self) {
        let shape = self.shape();
        // Held, so that no put is under way: once it is closed, what is not in it never will be.
        let held = self.hold(&shape.putters, None);
        shape.closed.store(1, Release);
        drop(held);
        self.ring_all();
    }

    /// Everybody who sleeps here looks up.
    pub(crate) fn ring_all(&self) {
        let shape = self.shape();
        for bell in [&shape.putters.bell.0, &shape.getters.bell.0, shape.tasks.bell()] {
            bell.ring_all();
        }
    }

    /// One of those that were got is done; false if all of them were before.
    pub(crate) fn task_done(&self) -> bool {
        let Shape { putters, getters, tasks, .. } = self.shape();
        let count = |side: &Side| messages(side.place.load(Acquire));
        tasks.done(|| count(getters), || count(putters))
    }

    /// Waits until everything that was put is done.
    pub(crate) fn join(&self, wait: &Wait<'_>, gone: impl FnMut() -> bool) -> Result<(), Ended> {
        let Shape { putters, tasks, .. } = self.shape();
        tasks.join(|| messages(putters.place.load(Acquire)), wait, gone)
    }

    /// How many were put and are not done.
    pub(crate) fn unfinished(&self) -> u32 {
        let Shape { putters, tasks, .. } = self.shape();
        tasks.unfinished(messages(putters.place.load(Acquire)))
    }

    fn hold<'a>(&self, side: &'a Side, deadline: Option<Instant>) -> Option<Held<'a>> {
        let deadline = deadline.map(|deadline| deadline.max(Instant::now() + GRACE));
        match side.lock.lock(deadline) {
            Ok(false) => {}
            Ok(true) => {
                self.shape().crashes.fetch_add(1, Relaxed);
            }
            Err(NotTaken::Busy) => return None,
            Err(error @ (NotTaken::Mine | NotTaken::Broken)) => {
                unreachable!("a ring's lock is never kept, and nobody writes over it: {error:?}")
            }
        }
        Some(Held(&side.lock))
    }

    fn has_room(&self, length: u32) -> bool {
        let Shape { putters, getters, .. } = self.shape();
        self.fits(putters.place.load(Relaxed), getters.place.load(Relaxed), length)
    }

    fn fits(&self, tail: u64, head: u64, length: u32) -> bool {
        let used = bytes(tail).wrapping_sub(bytes(head));
        let there = messages(tail).wrapping_sub(messages(head));
        there < self.capacity && self.room.wrapping_sub(used) >= length && used <= self.room
    }

    /// What a message takes up; `None` if that is more than there is.
    fn length(&self, size: usize) -> Option<u32> {
        if size > self.largest() {
            return None;
        }
        Some((size as u32).next_multiple_of(LENGTH) + LENGTH)
    }

    /// Copies `size` bytes of a message that is being got to where there is room for them. Called with
    /// the getters' lock held.
    fn read(&self, at: u32, size: usize, to: *mut u8) {
        for (at, part) in self.parts(at, size) {
            // SAFETY: `parts` gives addresses in the mapping; both callers have room for `size` bytes.
            // The lock is held, and those who put stop at the head: nobody else writes here.
            unsafe { copy(at, to.wrapping_add(part.start), part.len()) };
        }
    }

    /// Where `len` bytes of the ring are, from a byte on by its number, which goes round and round:
    /// up to the end of the mapping, and then from the beginning.
    fn parts(&self, byte: u32, len: usize) -> [(*mut u8, Range<usize>); 2] {
        let offset = (byte & (self.room - 1)) as usize;
        let first = len.min(self.room as usize - offset);
        let messages = self.memory.start().as_ptr().wrapping_add(MESSAGES);
        [(messages.wrapping_add(offset), 0..first), (messages, first..len)]
    }

    fn shape(&self) -> &Shape {
        self.memory.header()
    }
}

/// Holds a side's lock; a panic in between opens it too.
struct Held<'a>(&'a Robust);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.unlock();
    }
}
