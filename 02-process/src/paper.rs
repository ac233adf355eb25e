use std::io;
use std::os::fd::BorrowedFd;

use fork::PrivateFd;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::fstat;
use nix::sys::uio::pread;

/// A file in memory, without a name: what one process writes there, the other one reads later.
///
/// Unlike a pipe it is never full. A child that has written its answer can end, whether or not
/// anybody reads; so no result is too large to join first, and whoever else has the descriptor
/// keeps nobody waiting.
///
/// Source: [memfd_create(2)](https://man7.org/linux/man-pages/man2/memfd_create.2.html).
pub(crate) fn blank() -> io::Result<PrivateFd> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let [paper] = PrivateFd::open(|| Ok([memfd_create(c"process", flags)?]))?;
    Ok(paper)
}

/// Appends all of it.
#[inline]
pub(crate) fn write(paper: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::write(paper, bytes) {
            Ok(count) => bytes = &bytes[count..],
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
        // From the start, wherever the writing has left the position that both processes share.
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
    nix::unistd::ftruncate(paper, 0)?;
    nix::unistd::lseek(paper, 0, nix::unistd::Whence::SeekSet)?;
    Ok(())
}

/// Says that it is finished, and of which kind: nobody can add a seal any more, or take one off.
#[inline]
pub(crate) fn seal(paper: BorrowedFd<'_>, kind: SealFlag) -> io::Result<()> {
    fcntl(paper, FcntlArg::F_ADD_SEALS(kind | SealFlag::F_SEAL_SEAL))?;
    Ok(())
}

/// The kind, if it is finished.
pub(crate) fn sealed(paper: BorrowedFd<'_>) -> io::Result<Option<SealFlag>> {
    let seals = SealFlag::from_bits_truncate(fcntl(paper, FcntlArg::F_GET_SEALS)?);
    Ok(seals.contains(SealFlag::F_SEAL_SEAL).then(|| seals.difference(SealFlag::F_SEAL_SEAL)))
}
