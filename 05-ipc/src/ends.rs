use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::OwnedFd;
use std::time::Duration;

use fork::PrivateFd;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{decode, encode, with_scratch};
use crate::ring::Put;
use crate::role::End;
use crate::sleep::Ended;
use crate::{Handover, RecvError, Ring, SendError, TaskError, Wait};

/// The end of a [`Queue`](crate::Queue) to put in.
///
/// Unlike the whole queue, it is told when nobody is left to get: [`SendError::Closed`].
pub struct Putter<T> {
    pub(crate) end: End,
    values: PhantomData<fn(T)>,
}

/// The end of a [`Queue`](crate::Queue) to get from.
///
/// Unlike the whole queue, it is told when nobody is left to put: [`RecvError::Closed`].
pub struct Getter<T> {
    pub(crate) end: End,
    values: PhantomData<fn() -> T>,
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
    pub(crate) fn new(end: End) -> Putter<T> {
        Putter { end, values: PhantomData }
    }

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

    /// No more puts, by anybody: see [`Queue::close`](crate::Queue::close).
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
    pub(crate) fn new(end: End) -> Getter<T> {
        Getter { end, values: PhantomData }
    }

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

impl<T> Clone for Putter<T> {
    fn clone(&self) -> Putter<T> {
        Putter::new(self.end.clone())
    }
}

impl<T> Clone for Getter<T> {
    fn clone(&self) -> Getter<T> {
        Getter::new(self.end.clone())
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
        Ok(Putter::new(End::from_fds(fds)?))
    }
}

impl<T> Handover for Getter<T> {
    fn into_fds(self) -> io::Result<Vec<PrivateFd>> {
        self.end.to_fds()
    }
    fn from_fds(fds: &mut dyn Iterator<Item = OwnedFd>) -> io::Result<Self> {
        Ok(Getter::new(End::from_fds(fds)?))
    }
}
