use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed},
};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// Memory that several processes have at once: bytes, all zero at first.
///
/// Unlike a file in `/dev/shm`, which is there until somebody removes it, it has no name: the kernel
/// frees it with the last process that has it, however that process ends. Unlike a plain mapping, it
/// can't be made shorter by anybody (it is *sealed*), so no access to it is ever a `SIGBUS`.
///
/// Seen through it are atomic words, since others write to them at the same time, and since no
/// number that another process leaves there can be an invalid value here. What is larger than a word
/// needs an agreement about who may touch it when: that is what all other types here are.
///
/// A forked child has the same memory. To any other process its descriptor carries it.
///
/// ```
/// use std::sync::atomic::Ordering::Relaxed;
///
/// let memory = ipc::SharedMemory::new(4096)?;
/// fork::fork(|| {
///     memory[7].store(42, Relaxed);
///     0
/// })?
/// .wait()?;
/// assert_eq!(memory[7].load(Relaxed), 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: [memfd_create(2)](https://man7.org/linux/man-pages/man2/memfd_create.2.html),
/// [fcntl(2)](https://man7.org/linux/man-pages/man2/fcntl.2.html) "File sealing".
#[derive(Debug)]
pub struct SharedMemory {
    start: NonNull<u8>,
    len: usize,
    fd: OwnedFd,
    /// How many locks in it this process holds. Above zero, the C library has addresses in the
    /// mapping on a list, so it stays: a guard that was forgotten leaks it.
    pub(crate) held: AtomicU32,
}

// SAFETY: it owns its mapping, which no thread has a special relation to, and the only references
// that it gives out are to atomics; whoever uses its address argues for that.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

const WORD: usize = size_of::<AtomicU64>();
const SEALS: SealFlag = SealFlag::F_SEAL_SHRINK.union(SealFlag::F_SEAL_GROW);

impl SharedMemory {
    /// At least `len` bytes, rounded up to whole words. Pages that nobody touches take no room.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a length of 0, or one beyond the address space; `EMFILE` without a free
    /// descriptor; `ENOMEM`.
    pub fn new(len: usize) -> io::Result<SharedMemory> {
        let len = len.checked_next_multiple_of(WORD).ok_or_else(invalid)?;
        check(len)?;
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let file = File::from(memfd_create(c"ipc", flags)?);
        file.set_len(len as u64)?;
        fcntl(&file, FcntlArg::F_ADD_SEALS(SEALS))?;
        SharedMemory::map(file.into(), len)
    }

    /// The memory behind a descriptor that came from [`fd`](SharedMemory::fd) in another process.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is something else, or could be made shorter by somebody.
    pub fn from_fd(fd: OwnedFd) -> io::Result<SharedMemory> {
        let file = File::from(fd);
        let seals = SealFlag::from_bits_truncate(fcntl(&file, FcntlArg::F_GET_SEALS)?);
        if !seals.contains(SEALS) {
            return Err(invalid());
        }
        let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        check(len)?;
        SharedMemory::map(file.into(), len / WORD * WORD)
    }

    /// The descriptor to hand to another process; close-on-exec, inherited by a forked child.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Its length in bytes.
    pub fn size(&self) -> usize {
        self.len
    }

    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// What the memory begins with.
    ///
    /// # Panics
    ///
    /// When it is too short for one.
    pub(crate) fn header<H: Header>(&self) -> &H {
        const { assert!(align_of::<H>() <= PAGE) };
        assert!(size_of::<H>() <= self.len, "checked when it was mapped");
        // SAFETY: the range is mapped for as long as `self` lives, can't shrink, is aligned to a page;
        // and any bytes in it, whoever changes them whenever, are an `H`, as its author promises.
        unsafe { self.start.cast::<H>().as_ref() }
    }

    fn map(fd: OwnedFd, len: usize) -> io::Result<SharedMemory> {
        let both = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let start =
            unsafe { libc::mmap(ptr::null_mut(), len, both, libc::MAP_SHARED, fd.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at 0"))?;
        Ok(SharedMemory { start, len, fd, held: AtomicU32::new(0) })
    }
}

impl Deref for SharedMemory {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        // SAFETY: the range is mapped for as long as `self` lives, can't shrink, and is aligned to a
        // page; any bytes are a valid word, and words may change under a reference to an atomic.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.len / WORD) }
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        if self.held.load(Relaxed) == 0 {
            // SAFETY: it is our own mapping, of exactly this length, and no borrow of it is left.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
        }
    }
}

/// What shared memory may begin with.
///
/// # Safety
///
/// Any bytes are a valid value, and it may change under a shared reference at any moment: it
/// consists of atomics, and of cells that are only given to functions made for it.
pub(crate) unsafe trait Header {
    /// The first word, as long as it is one: tells the kinds from each other, and a version of this
    /// library from the next.
    const KIND: u64;
}

/// New memory for a header and what is behind it, `len` bytes or more. Its author writes the kind when
/// the rest is ready.
pub(crate) fn create<H: Header>(len: usize) -> io::Result<SharedMemory> {
    SharedMemory::new(len.max(size_of::<H>()))
}

/// The memory behind a descriptor, if it has such a header.
pub(crate) fn attach<H: Header>(fd: OwnedFd) -> io::Result<SharedMemory> {
    let memory = SharedMemory::from_fd(fd)?;
    let fits = memory.size() >= size_of::<H>();
    if fits && memory[0].load(Acquire) == H::KIND { Ok(memory) } else { Err(invalid()) }
}

const PAGE: usize = 4096;

fn check(len: usize) -> io::Result<()> {
    if len < WORD || isize::try_from(len).is_err() { Err(invalid()) } else { Ok(()) }
}

pub(crate) fn invalid() -> io::Error {
    io::Error::from_raw_os_error(libc::EINVAL)
}
