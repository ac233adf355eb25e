use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};

use crate::recvmsg::{Received, recvmsg, room_for};

/// The most descriptors that the kernel takes in one message (`SCM_MAX_FD`).
const MOST: usize = 253;

/// Sends open descriptors through a Unix socket, with one byte that carries them.
///
/// Unlike a fork, which copies descriptors under their numbers, this gives the receiver new
/// numbers for the same open files: it is how they come to a program that was executed afresh.
///
/// # Errors
///
/// `EINVAL` for more than 253 of them; `EPIPE` when the other end is closed, without a signal.
///
/// Source: [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html), `SCM_RIGHTS`.
pub fn send_fds(socket: BorrowedFd<'_>, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let raw: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let rights = if raw.is_empty() { &rights[..0] } else { &rights[..] };
    loop {
        let byte = [IoSlice::new(&[0])];
        match sendmsg::<UnixAddr>(socket.as_raw_fd(), &byte, rights, MsgFlags::MSG_NOSIGNAL, None) {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Receives what [`send_fds`] sent, close-on-exec, in the same order.
///
/// # Errors
///
/// `UnexpectedEof` when the other end is closed; `ENOTSOCK` when it is no socket; `EMFILE`, when
/// there is no room here for all of them: none is kept then.
pub fn receive_fds(socket: BorrowedFd<'_>) -> io::Result<Vec<OwnedFd>> {
    let mut room = [0; room_for(MOST)];
    loop {
        let message = match recvmsg(socket, &mut [0], &mut room, libc::MSG_CMSG_CLOEXEC) {
            Ok(message) => message,
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        return match message {
            Received { bytes: 0, .. } => Err(io::ErrorKind::UnexpectedEof.into()),
            // Those that did come are closed with the message.
            Received { cut_off: true, .. } => Err(io::Error::from_raw_os_error(libc::EMFILE)),
            Received { fds, .. } => Ok(fds),
        };
    }
}
