use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, cmsg_space, recvmsg, sendmsg,
};

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
    let mut room = vec![0; cmsg_space::<[RawFd; MOST]>()];
    let mut byte = [0];
    loop {
        let mut into = [IoSliceMut::new(&mut byte)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message =
            match recvmsg::<UnixAddr>(socket.as_raw_fd(), &mut into, Some(&mut room), flags) {
                Ok(message) => message,
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            };
        let mut fds = Vec::new();
        // A message whose descriptors did not all fit can't be taken apart: `cmsgs` fails then.
        for part in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(raw) = part {
                // SAFETY: the kernel made these descriptors for us just now; nobody else knows them.
                fds.extend(raw.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
            }
        }
        return match message.bytes {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ if message.flags.contains(MsgFlags::MSG_CTRUNC) => {
                Err(io::Error::from_raw_os_error(libc::EMFILE))
            }
            _ => Ok(fds),
        };
    }
}
