use std::io;
use std::os::fd::BorrowedFd;

use fork::PrivateFd;
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::fstat;
use nix::sys::uio::{pread, pwrite};
use nix::unistd::{Whence, ftruncate, lseek};

/// A file in memory, without a name: what one process writes there, the other one reads later.
///
/// Unlike a pipe it is never full. A child that has written its answer can end, whether or not
/// anybody reads; so no result is too large to join first, and whoever else has the descriptor
/// keeps nobody waiting.
///
/// Source: [memfd_create(2)](https://man7.org/linux/man-pages/man2/memfd_create.2.html).
pub(crate) fn blank() -> io::Result<PrivateFd> {
    let [paper] = PrivateFd::open(|| Ok([memfd_create(c"process", MFdFlags::MFD_CLOEXEC)?]))?;
    Ok(paper)
}

/// Writes all of it, from the start.
#[inline]
pub(crate) fn write(paper: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
    let mut written = 0;
    while written < bytes.len() {
        match pwrite(paper, &bytes[written..], written as i64) {
            Ok(count) => written += count,
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// All that is written there.
pub(crate) fn read(paper: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(fstat(paper)?.st_size).map_err(io::Error::other)?];
    let mut filled = 0;
    while filled < bytes.len() {
        match pread(paper, &mut bytes[filled..], filled as i64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Leaves nothing of what was written.
pub(crate) fn erase(paper: BorrowedFd<'_>) -> io::Result<()> {
    Ok(ftruncate(paper, 0)?)
}

/// Says that it is finished, and of which kind, a number above 0.
///
/// The mark is the file's position, which both processes share, and which nothing else here moves. It
/// is set at once or not at all, takes no memory, and is a smaller call than any other mark.
///
/// Source: [lseek(2)](https://man7.org/linux/man-pages/man2/lseek.2.html).
#[inline]
pub(crate) fn sign(paper: BorrowedFd<'_>, kind: i64) -> io::Result<()> {
    lseek(paper, kind, Whence::SeekSet)?;
    Ok(())
}

/// The kind; 0 if it is not finished.
pub(crate) fn signed(paper: BorrowedFd<'_>) -> io::Result<i64> {
    Ok(lseek(paper, 0, Whence::SeekCur)?)
}
