use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use fork::PrivateFd;
use nix::fcntl::OFlag;
use nix::poll::PollFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{decode, encode, with_scratch};
use crate::handover::{Handover, next, private};
use crate::memory::invalid;
use crate::ready::seen;
use crate::ring::{Put, Ring};
use crate::sleep::{Ended, Wait};
use crate::{RecvError, SendError, TaskError};

/// A bounded queue of values between processes: several may put, several may get, each value is got
/// once, and those of one process in the order in which it put them.
///
/// Unlike a [`std::sync::mpsc`] channel, it connects processes: a value crosses as bytes. Unlike
/// Python's `multiprocessing.Queue`, it has no thread behind it that writes later: when
/// [`put`](Queue::put) returns, the value *is* in the queue, whatever becomes of this process, and one
/// that can't be turned into bytes is an error of that call.
///
/// This is the whole queue, with both ends. Every process forked from here on has it too. As with
/// both ends of a pipe, whoever has them is never told that nobody else is left; [`split`](Queue::split)
/// gives ends that are, and [`Wait::while_alive`] watches a process that you know.
///
/// ```
/// let queue = ipc::Queue::new(8)?;
/// let child = fork::fork(|| i32::from(queue.put(&"hello".to_owned()).is_err()))?;
/// assert_eq!(queue.get()?, "hello");
/// child.wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Typed values or bytes
///
/// Values cross in the format of [postcard](https://docs.rs/postcard). With large byte strings,
/// [`put_bytes`](Queue::put_bytes) and [`get_bytes`](Queue::get_bytes) are some ten times as fast. A
/// queue takes both, but nothing tells the two apart: use one of them.
#[derive(Debug)]
pub struct Queue<T> {
    putter: Putter<T>,
    getter: Getter<T>,
}

/// The end of a [`Queue`] to put in.
///
/// Unlike the whole queue, it is told when nobody is left to get: [`SendError::Closed`].
pub struct Putter<T> {
    end: End,
    values: PhantomData<fn(T)>,
}

/// The end of a [`Queue`] to get from.
///
/// Unlike the whole queue, it is told when nobody is left to put: [`RecvError::Closed`].
pub struct Getter<T> {
    end: End,
    values: PhantomData<fn() -> T>,
}

/// The ring, and one end of a pipe that nothing is ever written to: by it the kernel counts who is
/// there, and whoever has the other end can ask. Nobody has to sign off, so a kill is no exception.
#[derive(Debug, Clone)]
struct End {
    ring: Arc<Ring>,
    /// `None` only while it is dropped.
    role: Option<Role>,
}

/// Those who put have the pipe's end to write, those who get the one to read.
#[derive(Debug, Clone)]
enum Role {
    /// In one process.
    Private(Arc<PrivateFd>),
    /// In forked children too.
    Inherited(Arc<OwnedFd>),
}

/// Bytes for messages, unless something else is said: most values are small, and this is in the cache.
const ROOM: usize = 1 << 20;

impl<T> Queue<T> {
    /// A queue for at most `capacity` values, of 1 MiB together.
    ///
    /// # Errors
    ///
    /// As [`Queue::with_room`].
    pub fn new(capacity: usize) -> io::Result<Queue<T>> {
        Queue::with_room(capacity, ROOM)
    }

    /// A queue for at most `capacity` values, which are `room` bytes together at most: it bounds the
    /// largest value, too. The memory is taken when it is first used.
    ///
    /// # Errors
    ///
    /// As [`Ring::new`]; `EMFILE` without three free descriptors.
    pub fn with_room(capacity: usize, room: usize) -> io::Result<Queue<T>> {
        let ring = Arc::new(Ring::new(capacity, room)?);
        let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        let end = |fd| End { ring: ring.clone(), role: Some(Role::Inherited(Arc::new(fd))) };
        let putter = Putter { end: end(write), values: PhantomData };
        Ok(Queue { putter, getter: Getter { end: end(read), values: PhantomData } })
    }

    /// Takes it apart into its two ends. Neither is inherited by a forked child: give them to
    /// processes with [`fork_with`](crate::fork_with), or across an exec with [`Handover`].
    ///
    /// # Errors
    ///
    /// `EMFILE` without two free descriptors.
    pub fn split(self) -> io::Result<(Putter<T>, Getter<T>)> {
        let Queue { mut putter, mut getter } = self;
        for end in [&mut putter.end, &mut getter.end] {
            end.role = end.role.take().map(Role::into_private).transpose()?;
        }
        Ok((putter, getter))
    }

    /// Puts bytes as they are: see [`Putter::put_bytes`].
    ///
    /// # Errors
    ///
    /// As [`Putter::put_within`].
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<(), SendError> {
        self.putter.put_bytes(bytes)
    }

    /// As [`put_bytes`](Queue::put_bytes), with a limit.
    ///
    /// # Errors
    ///
    /// As [`Putter::put_within`].
    pub fn put_bytes_within<'a>(
        &self,
        bytes: &[u8],
        wait: impl Into<Wait<'a>>,
    ) -> Result<(), SendError> {
        self.putter.put_bytes_within(bytes, wait)
    }

    /// As [`get_bytes`](Queue::get_bytes), with a limit.
    ///
    /// # Errors
    ///
    /// As [`Getter::get_within`].
    pub fn get_bytes_within<'a>(
        &self,
        into: &mut Vec<u8>,
        wait: impl Into<Wait<'a>>,
    ) -> Result<(), RecvError> {
        self.getter.get_bytes_within(into, wait)
    }

    /// Takes the next message as the bytes that it is: see [`Getter::get_bytes`].
    ///
    /// # Errors
    ///
    /// As [`Getter::get_within`].
    pub fn get_bytes(&self, into: &mut Vec<u8>) -> Result<(), RecvError> {
        self.getter.get_bytes(into)
    }

    /// One value that was got is done: see [`Getter::task_done`].
    ///
    /// # Errors
    ///
    /// [`TaskError::TooOften`].
    pub fn task_done(&self) -> Result<(), TaskError> {
        self.getter.task_done()
    }

    /// Waits until all that was put is done: see [`Putter::join`].
    ///
    /// # Errors
    ///
    /// As [`Putter::join_within`].
    pub fn join(&self) -> Result<(), TaskError> {
        self.putter.join()
    }

    /// As [`join`](Queue::join), with a limit.
    ///
    /// # Errors
    ///
    /// As [`Putter::join_within`].
    pub fn join_within<'a>(&self, wait: impl Into<Wait<'a>>) -> Result<(), TaskError> {
        self.putter.join_within(wait)
    }

    /// No more puts, by anybody. What is in it can still be got, then all are told
    /// [`RecvError::Closed`].
    pub fn close(&self) {
        self.ring().close();
    }

    /// The ring below: its capacity, how many messages are in it, how often somebody crashed in it.
    pub fn ring(&self) -> &Ring {
        &self.putter.end.ring
    }
}

impl<T: Serialize> Queue<T> {
    /// Puts a value, waiting for room: see [`Putter::put`].
    ///
    /// # Errors
    ///
    /// As [`Putter::put_within`].
    pub fn put(&self, value: &T) -> Result<(), SendError> {
        self.putter.put(value)
    }

    /// As [`put`](Queue::put), with a limit.
    ///
    /// # Errors
    ///
    /// As [`Putter::put_within`].
    pub fn put_within<'a>(&self, value: &T, wait: impl Into<Wait<'a>>) -> Result<(), SendError> {
        self.putter.put_within(value, wait)
    }

    /// Puts a value if there is room at once.
    ///
    /// # Errors
    ///
    /// As [`Putter::put_within`].
    pub fn try_put(&self, value: &T) -> Result<(), SendError> {
        self.putter.try_put(value)
    }
}

impl<T: DeserializeOwned> Queue<T> {
    /// Takes the next value, waiting for one: see [`Getter::get`].
    ///
    /// # Errors
    ///
    /// As [`Getter::get_within`].
    pub fn get(&self) -> Result<T, RecvError> {
        self.getter.get()
    }

    /// As [`get`](Queue::get), with a limit.
    ///
    /// # Errors
    ///
    /// As [`Getter::get_within`].
    pub fn get_within<'a>(&self, wait: impl Into<Wait<'a>>) -> Result<T, RecvError> {
        self.getter.get_within(wait)
    }

    /// Takes the next value if there is one.
    ///
    /// # Errors
    ///
    /// As [`Getter::get_within`].
    pub fn try_get(&self) -> Result<T, RecvError> {
        self.getter.try_get()
    }
}

impl<T: Serialize> Putter<T> {
    /// Puts a value, waiting for room as long as anybody is left to make some.
    ///
    /// # Errors
    ///
    /// As [`put_within`](Putter::put_within).
    pub fn put(&self, value: &T) -> Result<(), SendError> {
        self.put_within(value, Wait::forever())
    }

    /// Puts a value if there is room at once.
    ///
    /// # Errors
    ///
    /// As [`put_within`](Putter::put_within).
    pub fn try_put(&self, value: &T) -> Result<(), SendError> {
        self.put_within(value, Duration::ZERO)
    }

    /// Puts a value, waiting for room no longer than `wait` says.
    ///
    /// # Errors
    ///
    /// [`SendError`]: then it is not in the queue, and the queue is as it was.
    pub fn put_within<'a>(&self, value: &T, wait: impl Into<Wait<'a>>) -> Result<(), SendError> {
        encode(value, |bytes| self.put_bytes_within(bytes, wait))
    }
}

impl<T> Putter<T> {
    /// Puts bytes as they are, for [`Getter::get_bytes`], waiting for room.
    ///
    /// # Errors
    ///
    /// As [`put_bytes_within`](Putter::put_bytes_within).
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<(), SendError> {
        self.put_bytes_within(bytes, Wait::forever())
    }

    /// As [`put_bytes`](Putter::put_bytes), with a limit.
    ///
    /// # Errors
    ///
    /// As [`put_within`](Putter::put_within).
    pub fn put_bytes_within<'a>(
        &self,
        bytes: &[u8],
        wait: impl Into<Wait<'a>>,
    ) -> Result<(), SendError> {
        let ring = &self.end.ring;
        self.end.role().map_err(|_| SendError::NotHere)?;
        match ring.put(bytes, &wait.into(), || self.end.others_are_gone()) {
            Ok(Put::Done) => Ok(()),
            Ok(Put::Closed) | Err(Ended::Closed) => Err(SendError::Closed),
            Ok(Put::TooLarge) => {
                Err(SendError::TooLarge { size: bytes.len(), most: ring.largest() })
            }
            Err(Ended::TimedOut) => Err(SendError::Full),
            Err(Ended::Peer) => Err(SendError::PeerEnded),
        }
    }

    /// Waits until as many were done, by [`Getter::task_done`], as were put.
    ///
    /// # Errors
    ///
    /// As [`join_within`](Putter::join_within).
    pub fn join(&self) -> Result<(), TaskError> {
        self.join_within(Wait::forever())
    }

    /// As [`join`](Putter::join), with a limit.
    ///
    /// # Errors
    ///
    /// [`TaskError::TimedOut`]; [`TaskError::Abandoned`] when nobody is left to get, so nobody will
    /// call `task_done` for what is missing.
    pub fn join_within<'a>(&self, wait: impl Into<Wait<'a>>) -> Result<(), TaskError> {
        let ring = &self.end.ring;
        let unfinished = || ring.unfinished();
        ring.join(&wait.into(), || self.end.others_are_gone()).map_err(|ended| match ended {
            Ended::TimedOut => TaskError::TimedOut { unfinished: unfinished() },
            Ended::Closed | Ended::Peer => TaskError::Abandoned { unfinished: unfinished() },
        })
    }

    /// No more puts, by anybody: see [`Queue::close`].
    pub fn close(&self) {
        self.end.ring.close();
    }

    /// The ring below.
    pub fn ring(&self) -> &Ring {
        &self.end.ring
    }
}

impl<T: DeserializeOwned> Getter<T> {
    /// Takes the next value, waiting for one as long as anybody is left to put one.
    ///
    /// # Errors
    ///
    /// As [`get_within`](Getter::get_within).
    pub fn get(&self) -> Result<T, RecvError> {
        self.get_within(Wait::forever())
    }

    /// Takes the next value if there is one.
    ///
    /// # Errors
    ///
    /// As [`get_within`](Getter::get_within).
    pub fn try_get(&self) -> Result<T, RecvError> {
        self.get_within(Duration::ZERO)
    }

    /// Takes the next value, waiting for one no longer than `wait` says.
    ///
    /// # Errors
    ///
    /// [`RecvError`]: nothing was taken then, but with [`RecvError::Decode`], which has what was.
    pub fn get_within<'a>(&self, wait: impl Into<Wait<'a>>) -> Result<T, RecvError> {
        with_scratch(|scratch| {
            self.get_bytes_within(scratch, wait)?;
            decode(scratch)
        })
    }

    /// The values one after the other, until the queue is closed; each one is waited for.
    pub fn iter(&self) -> impl Iterator<Item = Result<T, RecvError>> {
        std::iter::from_fn(|| match self.get() {
            Err(RecvError::Closed) => None,
            other => Some(other),
        })
    }
}

impl<T> Getter<T> {
    /// Takes the next message as the bytes that it is, in the place of what is in `into`.
    ///
    /// # Errors
    ///
    /// As [`get_within`](Getter::get_within).
    pub fn get_bytes(&self, into: &mut Vec<u8>) -> Result<(), RecvError> {
        self.get_bytes_within(into, Wait::forever())
    }

    /// As [`get_bytes`](Getter::get_bytes), with a limit.
    ///
    /// # Errors
    ///
    /// As [`get_within`](Getter::get_within).
    pub fn get_bytes_within<'a>(
        &self,
        into: &mut Vec<u8>,
        wait: impl Into<Wait<'a>>,
    ) -> Result<(), RecvError> {
        let ring = &self.end.ring;
        self.end.role().map_err(|_| RecvError::NotHere)?;
        ring.get(into, &wait.into(), || self.end.others_are_gone()).map_err(|ended| match ended {
            Ended::TimedOut => RecvError::Empty,
            Ended::Closed => RecvError::Closed,
            Ended::Peer => RecvError::PeerEnded,
        })
    }

    /// One value that was got is done: the last one that was put lets all return from
    /// [`Putter::join`].
    ///
    /// # Errors
    ///
    /// [`TaskError::TooOften`] when every one that was got was done before.
    pub fn task_done(&self) -> Result<(), TaskError> {
        if self.end.ring.task_done() { Ok(()) } else { Err(TaskError::TooOften) }
    }

    /// The ring below.
    pub fn ring(&self) -> &Ring {
        &self.end.ring
    }
}

impl Role {
    fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        match self {
            Role::Private(fd) => fd.fd(),
            Role::Inherited(fd) => Ok(fd.as_fd()),
        }
    }

    fn into_private(self) -> io::Result<Role> {
        Ok(Role::Private(Arc::new(private(self.fd()?)?)))
    }

    fn into_inherited(self) -> io::Result<Role> {
        Ok(Role::Inherited(Arc::new(self.fd()?.try_clone_to_owned()?)))
    }
}

impl End {
    fn role(&self) -> io::Result<BorrowedFd<'_>> {
        self.role.as_ref().ok_or_else(invalid)?.fd()
    }

    /// Whether nobody has the other end any more.
    fn others_are_gone(&self) -> bool {
        // At the end to read that is a hang-up, at the end to write an error; neither is asked for.
        let gone = self.role().and_then(|fd| seen(fd, PollFlags::empty()));
        gone.is_ok_and(|seen| seen.intersects(PollFlags::POLLHUP | PollFlags::POLLERR))
    }

    fn to_fds(&self) -> io::Result<Vec<PrivateFd>> {
        Ok(vec![private(self.ring.fd())?, private(self.role()?)?])
    }

    fn from_fds(fds: &mut dyn Iterator<Item = OwnedFd>) -> io::Result<End> {
        let ring = Arc::new(Ring::from_fd(next(fds)?)?);
        let role = next(fds)?;
        let [role] = PrivateFd::open(|| Ok([role]))?;
        Ok(End { ring, role: Some(Role::Private(Arc::new(role))) })
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // It may be the last of its kind: who sleeps at the other end looks, after it was closed.
        drop(self.role.take());
        self.ring.ring_all();
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Queue<T> {
        Queue { putter: self.putter.clone(), getter: self.getter.clone() }
    }
}

impl<T> Clone for Putter<T> {
    fn clone(&self) -> Putter<T> {
        Putter { end: self.end.clone(), values: PhantomData }
    }
}

impl<T> Clone for Getter<T> {
    fn clone(&self) -> Getter<T> {
        Getter { end: self.end.clone(), values: PhantomData }
    }
}

impl<T> fmt::Debug for Putter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Putter").field(&self.end.ring).finish()
    }
}

impl<T> fmt::Debug for Getter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Getter").field(&self.end.ring).finish()
    }
}

impl<T> Handover for Putter<T> {
    fn into_fds(self) -> io::Result<Vec<PrivateFd>> {
        self.end.to_fds()
    }
    fn from_fds(fds: &mut dyn Iterator<Item = OwnedFd>) -> io::Result<Self> {
        Ok(Putter { end: End::from_fds(fds)?, values: PhantomData })
    }
}

impl<T> Handover for Getter<T> {
    fn into_fds(self) -> io::Result<Vec<PrivateFd>> {
        self.end.to_fds()
    }
    fn from_fds(fds: &mut dyn Iterator<Item = OwnedFd>) -> io::Result<Self> {
        Ok(Getter { end: End::from_fds(fds)?, values: PhantomData })
    }
}

impl<T> Handover for Queue<T> {
    fn into_fds(self) -> io::Result<Vec<PrivateFd>> {
        (self.putter.clone(), self.getter.clone()).into_fds()
    }
    fn from_fds(fds: &mut dyn Iterator<Item = OwnedFd>) -> io::Result<Self> {
        let (mut putter, mut getter) = <(Putter<T>, Getter<T>)>::from_fds(fds)?;
        for end in [&mut putter.end, &mut getter.end] {
            end.role = end.role.take().map(Role::into_inherited).transpose()?;
        }
        Ok(Queue { putter, getter })
    }
}
