use std::io;
use std::os::fd::OwnedFd;
use std::ptr::copy_nonoverlapping as copy;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Mutex, PoisonError};

use crate::SharedMemory;

/// Shared memory for the parts of messages that do not fit into a packet, which carries its descriptor.
///
/// A new page of memory costs more than the copy into it, so memory is used again when its receiver has
/// read it and says so, in the memory itself. What nobody gives back, because its receiver was killed
/// or has not come to it, is let go: the kernel frees it with its last descriptor.
#[derive(Debug, Default)]
pub(crate) struct Large(Mutex<Vec<SharedMemory>>);

/// How many are kept, and up to which size.
const MOST: usize = 4;
const LARGEST: usize = 8 << 20;

/// The first word is one of these, and then come the bytes.
const READ: u64 = 0;
const UNREAD: u64 = 1;
const HEAD: usize = size_of::<u64>();

impl Large {
    /// Memory with these bytes in it.
    pub(crate) fn with(&self, bytes: &[u8]) -> io::Result<SharedMemory> {
        let size = bytes.len() + HEAD;
        let memory = match self.given_back(size) {
            Some(memory) => memory,
            None => SharedMemory::new(size.next_multiple_of(64 << 10))?,
        };
        memory[0].store(UNREAD, Relaxed);
        // SAFETY: there is room for them behind the first word. It is nobody else's at this moment: new,
        // or given back.
        unsafe { copy(bytes.as_ptr(), memory.start().as_ptr().wrapping_add(HEAD), bytes.len()) };
        Ok(memory)
    }

    /// It was sent: it may come back.
    pub(crate) fn sent(&self, memory: Option<SharedMemory>) {
        if let Some(memory) = memory.filter(|memory| memory.size() <= LARGEST) {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(memory);
            if kept.len() > MOST {
                kept.remove(0);
            }
        }
    }

    fn given_back(&self, size: usize) -> Option<SharedMemory> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |it: &SharedMemory| it.size() >= size && it[0].load(Acquire) == READ;
        let index = kept.iter().position(fits)?;
        Some(kept.swap_remove(index))
    }
}

/// Puts a message together of its beginning and what such memory has, and gives the memory back. No room
/// is made for more than it has.
pub(crate) fn read_back(
    fd: OwnedFd,
    size: u64,
    inline: &[u8],
    into: &mut Vec<u8>,
) -> io::Result<()> {
    let memory = SharedMemory::from_fd(fd)?;
    let size = usize::try_from(size).map_err(|_| lied())?;
    let rest = size.checked_sub(inline.len()).ok_or_else(lied)?;
    if rest > memory.size() - HEAD {
        return Err(lied());
    }
    into.clear();
    into.try_reserve_exact(size).map_err(io::Error::other)?;
    into.extend_from_slice(inline);
    let to = into.as_mut_ptr().wrapping_add(inline.len());
    // SAFETY: both have so many bytes. The sender does not touch them before they are given back; one that
    // lies, and does, changes the bytes of its own message, and any bytes are a byte.
    unsafe { copy(memory.start().as_ptr().wrapping_add(HEAD), to, rest) };
    // SAFETY: there is room for so many, and all of them were written just now.
    unsafe { into.set_len(size) };
    memory[0].store(READ, Release);
    Ok(())
}

pub(crate) fn lied() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a message is not what its head says")
}
