use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use fork::{PrivateFd, Received, recvmsg, room_for};
use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, getsockopt, sendmsg,
    socketpair, sockopt,
};

use crate::large::{Large, lied, read_back};
use crate::ready::until_ready;
use crate::sleep::{Ended, Wait};
use crate::{RecvError, SendError};

/// One end of a connection: a Unix socket that keeps messages apart (`SOCK_SEQPACKET`).
///
/// A message is one packet, which the kernel takes whole or not at all. So no part of one is ever
/// seen, whoever is killed when; several processes may write to one end; and "readable" means a
/// whole message. One that is too large for a packet begins in the packet, and the rest is in
/// [`Large`]: still one packet.
///
/// Source: [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html).
#[derive(Debug)]
pub(crate) struct Packets {
    socket: PrivateFd,
    large: Large,
}

/// What a packet begins with: this alone, if all of the message follows, …
const WHOLE: u8 = 0;
/// … or this, and the number of the message's bytes.
const BEGUN: u8 = 1;
const HEAD: usize = 1 + size_of::<u64>();
/// Bytes of a message in the packet itself. A socket holds about three such packets by default, so
/// a slow receiver holds up a sender of large messages, too.
const INLINE: usize = 64 << 10;
/// The most descriptors with one message. The kernel takes 253 with a packet (`SCM_MAX_FD`), and the
/// rest of a large message needs one.
const MOST_FDS: usize = 252;

impl Packets {
    fn new(socket: PrivateFd) -> Packets {
        Packets { socket, large: Large::default() }
    }

    pub(crate) fn pair() -> io::Result<[Packets; 2]> {
        let ends = PrivateFd::open(|| {
            let (unix, kind) = (AddressFamily::Unix, SockType::SeqPacket);
            let (a, b) = socketpair(unix, kind, None, SockFlag::SOCK_CLOEXEC)?;
            Ok([a, b])
        })?;
        Ok(ends.map(Packets::new))
    }

    pub(crate) fn from_fd(fd: OwnedFd) -> io::Result<Packets> {
        if getsockopt(&fd, sockopt::SockType)? != SockType::SeqPacket {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let [fd] = PrivateFd::open(|| Ok([fd]))?;
        Ok(Packets::new(fd))
    }

    pub(crate) fn into_private(self) -> PrivateFd {
        self.socket
    }

    pub(crate) fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        self.socket.fd()
    }

    pub(crate) fn send(
        &self,
        message: &[u8],
        fds: &[BorrowedFd<'_>],
        wait: &Wait<'_>,
    ) -> Result<(), SendError> {
        let socket = self.fd().map_err(|_| SendError::NotHere)?;
        if fds.len() > MOST_FDS {
            return Err(SendError::TooManyDescriptors { count: fds.len(), most: MOST_FDS });
        }
        let mut rights: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
        let (inline, rest) = message.split_at(message.len().min(INLINE));
        let mut head = [WHOLE; HEAD];
        let (head, rest) = if rest.is_empty() {
            (&head[..1], None)
        } else {
            head[0] = BEGUN;
            head[1..].copy_from_slice(&(message.len() as u64).to_ne_bytes());
            (&head[..], Some(self.large.with(rest).map_err(SendError::Os)?))
        };
        rights.extend(rest.as_ref().map(|memory| memory.fd().as_raw_fd()));
        let rights = [ControlMessage::ScmRights(&rights)];
        let rights = match rights {
            [ControlMessage::ScmRights([])] => &[],
            _ => &rights[..],
        };
        let mut flags = MsgFlags::MSG_NOSIGNAL;
        // For this call alone; `O_NONBLOCK` would be for every process that has this end.
        flags.set(MsgFlags::MSG_DONTWAIT, !wait.is_forever());
        let parts = [IoSlice::new(head), IoSlice::new(inline)];
        loop {
            match sendmsg::<UnixAddr>(socket.as_raw_fd(), &parts, rights, flags, None) {
                Ok(_) => {
                    self.large.sent(rest);
                    return Ok(());
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => match until_ready(socket, PollFlags::POLLOUT, wait) {
                    Ok(()) => {}
                    Err(Ended::TimedOut) => return Err(SendError::Full),
                    Err(Ended::Peer | Ended::Closed) => return Err(SendError::PeerEnded),
                },
                Err(Errno::EPIPE | Errno::ECONNRESET | Errno::ECONNREFUSED | Errno::ENOTCONN) => {
                    return Err(SendError::Closed);
                }
                Err(error) => return Err(SendError::Os(error.into())),
            }
        }
    }

    /// The next message in the place of what is in `into`, and the descriptors that came with it.
    pub(crate) fn receive(
        &self,
        into: &mut Vec<u8>,
        wait: &Wait<'_>,
    ) -> Result<Vec<OwnedFd>, RecvError> {
        let socket = self.fd().map_err(|_| RecvError::NotHere)?;
        let at_once = if wait.is_forever() { 0 } else { libc::MSG_DONTWAIT };
        let flags = libc::MSG_CMSG_CLOEXEC | at_once;
        loop {
            match with_room(|packet, room| take_packet(socket, flags, packet, room, into)) {
                Ok(received) => return received,
                // The second: the other end was closed with something unread in it. What it sent
                // before is still here.
                Err(Errno::EINTR | Errno::ECONNRESET) => {}
                Err(Errno::EAGAIN) => match until_ready(socket, PollFlags::POLLIN, wait) {
                    Ok(()) => {}
                    Err(Ended::TimedOut) => return Err(RecvError::Empty),
                    Err(Ended::Peer | Ended::Closed) => return Err(RecvError::PeerEnded),
                },
                Err(error) => return Err(RecvError::Os(error.into())),
            }
        }
    }
}

/// One system call. The outer error is the call's, and then nothing was taken.
fn take_packet(
    socket: BorrowedFd<'_>,
    flags: libc::c_int,
    packet: &mut [u8],
    room: &mut [u64],
    into: &mut Vec<u8>,
) -> Result<Result<Vec<OwnedFd>, RecvError>, Errno> {
    let Received { bytes, mut fds, cut_off } = recvmsg(socket, packet, room, flags)?;
    Ok(match packet[..bytes].split_first() {
        // Every packet has a head, so this is the end.
        None => Err(RecvError::Closed),
        Some(_) if cut_off => Err(RecvError::NoDescriptors),
        Some((&WHOLE, inline)) => {
            into.clear();
            into.extend_from_slice(inline);
            Ok(fds)
        }
        Some((_, begun)) => match (begun.split_first_chunk(), fds.pop()) {
            (Some((size, inline)), Some(memory)) => {
                let read = read_back(memory, u64::from_ne_bytes(*size), inline, into);
                read.map(|()| fds).map_err(RecvError::Os)
            }
            _ => Err(RecvError::Os(lied())),
        },
    })
}

/// Lends this thread's room for a packet and for what comes with it.
fn with_room<R>(work: impl FnOnce(&mut [u8], &mut [u64]) -> R) -> R {
    thread_local! {
        static KEPT: RefCell<(Vec<u8>, Vec<u64>)> = const { RefCell::new((Vec::new(), Vec::new())) };
    }
    let (mut packet, mut room) = KEPT.try_with(RefCell::take).unwrap_or_default();
    packet.resize(HEAD + INLINE, 0);
    room.resize(room_for(MOST_FDS + 1), 0);
    let result = work(&mut packet, &mut room);
    let _ = KEPT.try_with(|kept| kept.replace((packet, room)));
    result
}
