use std::io;
use std::os::fd::OwnedFd;

use fork::PrivateFd;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::role::End;
use crate::{Getter, Handover, Putter, RecvError, Ring, SendError, TaskError, Wait};

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
        let (putter, getter) = End::pair(Ring::new(capacity, room)?)?;
        Ok(Queue { putter: Putter::new(putter), getter: Getter::new(getter) })
    }

    /// Takes it apart into its two ends. Neither is inherited by a forked child: give them to
    /// processes with [`fork_with`](crate::fork_with), or across an exec with [`Handover`].
    ///
    /// # Errors
    ///
    /// `EMFILE` without two free descriptors.
    pub fn split(self) -> io::Result<(Putter<T>, Getter<T>)> {
        let Queue { mut putter, mut getter } = self;
        putter.end.make_private()?;
        getter.end.make_private()?;
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

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Queue<T> {
        Queue { putter: self.putter.clone(), getter: self.getter.clone() }
    }
}

impl<T> Handover for Queue<T> {
    fn into_fds(self) -> io::Result<Vec<PrivateFd>> {
        (self.putter.clone(), self.getter.clone()).into_fds()
    }
    fn from_fds(fds: &mut dyn Iterator<Item = OwnedFd>) -> io::Result<Self> {
        let (mut putter, mut getter) = <(Putter<T>, Getter<T>)>::from_fds(fds)?;
        putter.end.make_inherited()?;
        getter.end.make_inherited()?;
        Ok(Queue { putter, getter })
    }
}
