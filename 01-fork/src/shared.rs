use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU64;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// Memory that parent and child go on sharing after the fork: an array of atomic words, all zero
/// at first.
///
/// Unlike every other value, of which the child gets a copy of its own (copy-on-write), a word
/// stored here by one process is seen by the other. The words are atomics because the two
/// run at the same time; and since they are nothing but numbers, no value of the other process can
/// be invalid here, whatever it writes, and whenever it is killed.
///
/// The memory has no name in any file system: it is gone with the last process that maps it. Its
/// descriptor carries it across an `exec`, where [`SharedWords::from_fd`] maps it again.
///
/// ```
/// use std::sync::atomic::Ordering::Relaxed;
///
/// let words = fork::SharedWords::new(1)?;
/// let child = fork::fork(|| {
///     words[0].store(42, Relaxed);
///     0
/// })?;
/// child.wait()?;
/// assert_eq!(words[0].load(Relaxed), 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: [mmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html) `MAP_SHARED`,
/// [memfd_create(2)](https://man7.org/linux/man-pages/man2/memfd_create.2.html).
#[derive(Debug)]
pub struct SharedWords {
    words: NonNull<AtomicU64>,
    len: usize,
    fd: OwnedFd,
}

// SAFETY: it owns its mapping, which no thread has a special relation to, and gives out nothing but
// shared references to atomics.
unsafe impl Send for SharedWords {}
// SAFETY: as above.
unsafe impl Sync for SharedWords {}

impl SharedWords {
    /// `len` words, each zero.
    ///
    /// # Errors
    ///
    /// `EMFILE` without a free descriptor, `ENOMEM` without address space, `EINVAL` for a length of
    /// 0 or one whose bytes can't be counted.
    pub fn new(len: usize) -> io::Result<SharedWords> {
        let bytes = bytes_of(len)?;
        let file = File::from(memfd_create(
            c"shared words",
            MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING,
        )?);
        file.set_len(bytes as u64)?;
        // Nobody may shrink it under our feet: a read past its end would be a SIGBUS.
        fcntl(&file, FcntlArg::F_ADD_SEALS(SEALS))?;
        SharedWords::map(file.into(), len)
    }

    /// Maps the words behind a descriptor that came from [`fd`](SharedWords::fd) of another process.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is not the descriptor of shared words.
    pub fn from_fd(fd: OwnedFd) -> io::Result<SharedWords> {
        let file = File::from(fd);
        let seals = fcntl(&file, FcntlArg::F_GET_SEALS)?;
        if !SealFlag::from_bits_truncate(seals).contains(SEALS) {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)? / WORD;
        bytes_of(len)?;
        SharedWords::map(file.into(), len)
    }

    /// The descriptor behind the words; close-on-exec, and inherited by a forked child.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn map(fd: OwnedFd, len: usize) -> io::Result<SharedWords> {
        use std::os::fd::AsRawFd;
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let address = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len * WORD,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd.as_raw_fd(),
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let words = NonNull::new(address.cast()).ok_or_else(|| io::Error::other("mapped at 0"))?;
        Ok(SharedWords { words, len, fd })
    }
}

impl Deref for SharedWords {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        // SAFETY:
        // - `words` points to `len` words, mapped until `drop`, and page-aligned.
        // - The file is sealed against shrinking, so each of them stays readable and writable.
        // - Any bytes are a valid u64, and everybody accesses them as atomics only: the file
        //   has no other descriptor than those that went through this type.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr(), self.len) }
    }
}

impl Drop for SharedWords {
    fn drop(&mut self) {
        // SAFETY: it is our own mapping, of exactly this length, and no borrow of it is left.
        unsafe { libc::munmap(self.words.as_ptr().cast(), self.len * WORD) };
    }
}

const WORD: usize = size_of::<AtomicU64>();
const SEALS: SealFlag = SealFlag::F_SEAL_SHRINK.union(SealFlag::F_SEAL_GROW);

fn bytes_of(len: usize) -> io::Result<usize> {
    len.checked_mul(WORD)
        .filter(|&bytes| bytes > 0 && isize::try_from(bytes).is_ok())
        .ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
}
