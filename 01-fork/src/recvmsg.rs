use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

/// A message of a Unix socket, as it came.
#[derive(Debug)]
pub struct Received {
    /// Bytes that were written to the buffer; 0 also at the end of the stream.
    pub bytes: usize,
    /// The descriptors that came with it, in the order in which they were sent.
    pub fds: Vec<OwnedFd>,
    /// There were more of them than this process may have, or than there was room for: these are lost.
    pub cut_off: bool,
}

/// How many words of room so many descriptors take: words, as the parts of what comes along with a
/// message are aligned to them.
pub const fn room_for(fds: usize) -> usize {
    // SAFETY: a computation of lengths.
    let bytes = unsafe { libc::CMSG_SPACE((fds * size_of::<RawFd>()) as u32) } as usize;
    bytes.div_ceil(size_of::<u64>())
}

/// Receives a message, and the descriptors with it, into a buffer and a room of
/// [`room_for`] so many words. `flags` are those of recvmsg(2), such as `MSG_CMSG_CLOEXEC`.
///
/// Unlike nix's function of this name it gives out what fits if there are too few free descriptors: the
/// kernel delivers those then, and says that others are missing; not given out, they would stay open
/// for ever.
///
/// # Errors
///
/// Those of recvmsg(2), `EINTR` too.
///
/// Source: [recvmsg(2)](https://man7.org/linux/man-pages/man2/recvmsg.2.html),
/// [cmsg(3)](https://man7.org/linux/man-pages/man3/cmsg.3.html).
pub fn recvmsg(
    socket: BorrowedFd<'_>,
    into: &mut [u8],
    room: &mut [u64],
    flags: libc::c_int,
) -> Result<Received, Errno> {
    let mut part = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    // SAFETY: all zero is a valid header, of a message without parts.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    (message.msg_iov, message.msg_iovlen) = (&raw mut part, 1);
    message.msg_control = room.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(room);
    // SAFETY: the header's pointers and lengths are those of buffers that are borrowed for writing.
    let bytes = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags) };
    let bytes = Errno::result(bytes)?.cast_unsigned();
    let mut fds = Vec::new();
    // SAFETY: the kernel filled in the header, and what it points to lives.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    // SAFETY: `next` is null, or a part of the message in `room`, as these macros find them.
    while let Some(header) = unsafe { next.as_ref() } {
        if (header.cmsg_level, header.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            // SAFETY: as above.
            let data = unsafe { libc::CMSG_DATA(header) }.cast::<RawFd>();
            let head = data.addr() - std::ptr::from_ref(header).addr();
            for index in 0..(header.cmsg_len - head) / size_of::<RawFd>() {
                // SAFETY: the part is as long as it says.
                let fd = unsafe { data.wrapping_add(index).read_unaligned() };
                // SAFETY: the kernel made it for us just now; nobody else knows it.
                fds.push(unsafe { OwnedFd::from_raw_fd(fd) });
            }
        }
        // SAFETY: as for the first one.
        next = unsafe { libc::CMSG_NXTHDR(&raw const message, header) };
    }
    Ok(Received { bytes, fds, cut_off: message.msg_flags & libc::MSG_CTRUNC != 0 })
}
