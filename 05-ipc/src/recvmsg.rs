use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

/// A packet, as it came.
pub(crate) struct Received {
    /// Bytes that were written to the buffer.
    pub bytes: usize,
    pub fds: Vec<OwnedFd>,
    /// There were more descriptors than this process may have.
    pub cut_off: bool,
}

/// Room for what comes along with a packet: words, as its parts are aligned to words.
pub(crate) type Room = [u64];

/// So many words hold so many descriptors.
pub(crate) const fn room_for(fds: usize) -> usize {
    // SAFETY: a computation of lengths.
    let bytes = unsafe { libc::CMSG_SPACE((fds * size_of::<RawFd>()) as u32) } as usize;
    bytes.div_ceil(size_of::<u64>())
}

/// recvmsg(2), by hand: with too few free descriptors the kernel delivers those that fit and says that
/// others are missing, and then nix gives out none. Nobody would close them.
pub(crate) fn recvmsg(
    socket: BorrowedFd<'_>,
    into: &mut [u8],
    room: &mut Room,
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
