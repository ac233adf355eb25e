use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{BorrowedFd, OwnedFd};

use fork::PrivateFd;
use nix::poll::PollFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{decode, encode, with_scratch};
use crate::handover::{Handover, next};
use crate::packet::Packets;
use crate::ready::{seen, until_ready};
use crate::{RecvError, SendError, Wait};

/// A pipe for messages, in one direction: what the [`Sender`] sends, the [`Receiver`] receives.
///
/// ```
/// let (sender, receiver) = ipc::pipe::<String>()?;
/// let child = ipc::fork_with(sender, |sender| {
///     i32::from(sender.send(&"hello".to_owned()).is_err())
/// })?;
/// assert_eq!(receiver.recv()?, "hello");
/// assert!(matches!(receiver.recv(), Err(ipc::RecvError::Closed))); // the child has ended
/// child.wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `EMFILE` without two free descriptors.
pub fn pipe<T>() -> io::Result<(Sender<T>, Receiver<T>)> {
    let [a, b] = Packets::pair()?;
    let sender = Sender { packets: a, values: PhantomData };
    Ok((sender, Receiver { packets: b, values: PhantomData }))
}

/// A pipe for messages in both directions, of one type there and of another one back: Python's
/// `multiprocessing.Pipe()`.
///
/// ```
/// let (asker, answerer) = ipc::duplex::<u64, String>()?;
/// let child = ipc::fork_with(answerer, |answerer| {
///     while let Ok(number) = answerer.recv() {
///         answerer.send(&format!("{number}!")).expect("the asker waits");
///     }
///     0
/// })?;
/// asker.send(&7)?;
/// assert_eq!(asker.recv()?, "7!");
/// drop(asker); // the child's `recv` is told
/// child.wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `EMFILE` without two free descriptors.
pub fn duplex<There, Back>() -> io::Result<(Connection<There, Back>, Connection<Back, There>)> {
    let [a, b] = Packets::pair()?;
    let asker = Connection { packets: a, values: PhantomData };
    Ok((asker, Connection { packets: b, values: PhantomData }))
}

/// The end of a [`pipe`] to send from. It can't receive:
///
/// ```compile_fail,E0599
/// let (sender, receiver) = ipc::pipe::<u64>().unwrap();
/// sender.recv();
/// ```
pub struct Sender<T> {
    packets: Packets,
    values: PhantomData<fn(T)>,
}

/// The end of a [`pipe`] to receive from. It can't send:
///
/// ```compile_fail,E0599
/// let (sender, receiver) = ipc::pipe::<u64>().unwrap();
/// receiver.send(&7);
/// ```
pub struct Receiver<T> {
    packets: Packets,
    values: PhantomData<fn() -> T>,
}

/// An end of a [`duplex`] pipe: it sends `S`, and receives `R`.
///
/// Unlike a [`Queue`](crate::Queue), which is memory, a connection goes through the kernel: slower
/// for small messages, and safe from whoever is at the other end, who can send nonsense, but write
/// over nothing here. It can be waited for together with others ([`wait`](crate::wait())), and it
/// carries open files.
///
/// Several threads may share an end; each message is received by one of them.
pub struct Connection<S, R = S> {
    packets: Packets,
    values: PhantomData<fn(S) -> R>,
}

macro_rules! sends {
    ($type:ident <$($parameter:ident),+>, $sent:ident) => {
        impl<$($parameter),+> $type<$($parameter),+> {
            /// Sends a value, waiting while too much is under way.
            ///
            /// # Errors
            ///
            /// As [`send_within`](Self::send_within).
            pub fn send(&self, value: &$sent) -> Result<(), SendError>
            where
                $sent: Serialize,
            {
                self.send_within(value, Wait::forever())
            }

            /// Sends a value, waiting no longer than `wait` says.
            ///
            /// # Errors
            ///
            /// [`SendError`]: nothing was sent then, not in part either. [`SendError::Closed`] when
            /// the other end is closed in every process.
            pub fn send_within<'a>(
                &self,
                value: &$sent,
                wait: impl Into<Wait<'a>>,
            ) -> Result<(), SendError>
            where
                $sent: Serialize,
            {
                encode(value, |bytes| self.packets.send(bytes, &[], &wait.into()))
            }

            /// Sends a value and open descriptors with it: the receiver gets its own ones, for the
            /// same open files.
            ///
            /// # Errors
            ///
            /// As [`send_within`](Self::send_within); [`SendError::TooManyDescriptors`].
            pub fn send_with_fds(
                &self,
                value: &$sent,
                fds: &[BorrowedFd<'_>],
            ) -> Result<(), SendError>
            where
                $sent: Serialize,
            {
                encode(value, |bytes| self.packets.send(bytes, fds, &Wait::forever()))
            }

            /// Sends bytes as they are. None at all are a message, too.
            ///
            /// # Errors
            ///
            /// As [`send_within`](Self::send_within).
            pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), SendError> {
                self.send_bytes_within(bytes, Wait::forever())
            }

            /// As [`send_bytes`](Self::send_bytes), with a limit.
            ///
            /// # Errors
            ///
            /// As [`send_within`](Self::send_within).
            pub fn send_bytes_within<'a>(
                &self,
                bytes: &[u8],
                wait: impl Into<Wait<'a>>,
            ) -> Result<(), SendError> {
                self.packets.send(bytes, &[], &wait.into())
            }
        }
    };
}
sends!(Sender<T>, T);
sends!(Connection<S, R>, S);

macro_rules! receives {
    ($type:ident <$($parameter:ident),+>, $received:ident) => {
        impl<$($parameter),+> $type<$($parameter),+> {
            /// Receives the next value, waiting for it as long as anybody has the other end.
            ///
            /// # Errors
            ///
            /// As [`recv_within`](Self::recv_within).
            pub fn recv(&self) -> Result<$received, RecvError>
            where
                $received: DeserializeOwned,
            {
                self.recv_within(Wait::forever())
            }

            /// Receives the next value, waiting no longer than `wait` says. Descriptors that come
            /// with it are closed.
            ///
            /// # Errors
            ///
            /// [`RecvError`]. [`RecvError::Closed`] is the end: the other end is closed in every
            /// process, and all that was sent was received.
            pub fn recv_within<'a>(
                &self,
                wait: impl Into<Wait<'a>>,
            ) -> Result<$received, RecvError>
            where
                $received: DeserializeOwned,
            {
                with_scratch(|scratch| {
                    self.packets.receive(scratch, &wait.into())?;
                    decode(scratch)
                })
            }

            /// Receives the next value, and the descriptors that were sent with it, close-on-exec.
            ///
            /// # Errors
            ///
            /// As [`recv_within`](Self::recv_within); [`RecvError::NoDescriptors`] when this
            /// process may not have so many more.
            pub fn recv_with_fds(&self) -> Result<($received, Vec<OwnedFd>), RecvError>
            where
                $received: DeserializeOwned,
            {
                with_scratch(|scratch| {
                    let fds = self.packets.receive(scratch, &Wait::forever())?;
                    Ok((decode(scratch)?, fds))
                })
            }

            /// Receives the next message as the bytes that it is, in the place of what is in `into`.
            ///
            /// # Errors
            ///
            /// As [`recv_within`](Self::recv_within).
            pub fn recv_bytes(&self, into: &mut Vec<u8>) -> Result<(), RecvError> {
                self.recv_bytes_within(into, Wait::forever())
            }

            /// As [`recv_bytes`](Self::recv_bytes), with a limit.
            ///
            /// # Errors
            ///
            /// As [`recv_within`](Self::recv_within).
            pub fn recv_bytes_within<'a>(
                &self,
                into: &mut Vec<u8>,
                wait: impl Into<Wait<'a>>,
            ) -> Result<(), RecvError> {
                self.packets.receive(into, &wait.into()).map(drop)
            }

            /// Whether there is a whole message, or the end, so that a `recv` would not wait. It
            /// waits for that no longer than `wait` says.
            ///
            /// # Errors
            ///
            /// `EBADF` when this end was not handed to this process.
            pub fn poll<'a>(&self, wait: impl Into<Wait<'a>>) -> io::Result<bool> {
                Ok(until_ready(self.fd()?, PollFlags::POLLIN, &wait.into()).is_ok())
            }
        }
    };
}
receives!(Receiver<T>, T);
receives!(Connection<S, R>, R);

macro_rules! end {
    ($type:ident <$($parameter:ident),+>) => {
        impl<$($parameter),+> $type<$($parameter),+> {
            /// A descriptor for [`wait`](crate::wait()) and poll(2): readable when there is a whole
            /// message, or the end. Only look at it: what is read past this library is lost to it.
            ///
            /// # Errors
            ///
            /// `EBADF` when this end was not handed to this process.
            pub fn fd(&self) -> io::Result<BorrowedFd<'_>> {
                self.packets.fd()
            }

            /// Whether the other end is closed in every process.
            ///
            /// # Errors
            ///
            /// `EBADF` when this end was not handed to this process.
            pub fn is_closed(&self) -> io::Result<bool> {
                Ok(seen(self.fd()?, PollFlags::empty())?.contains(PollFlags::POLLHUP))
            }
        }

        impl<$($parameter),+> Handover for $type<$($parameter),+> {
            fn into_fds(self) -> io::Result<Vec<PrivateFd>> {
                self.fd()?;
                Ok(vec![self.packets.into_private()])
            }
            fn from_fds(fds: &mut dyn Iterator<Item = OwnedFd>) -> io::Result<Self> {
                Ok($type { packets: Packets::from_fd(next(fds)?)?, values: PhantomData })
            }
        }

        impl<$($parameter),+> fmt::Debug for $type<$($parameter),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($type)).field(&self.packets).finish()
            }
        }
    };
}
end!(Sender<T>);
end!(Receiver<T>);
end!(Connection<S, R>);
