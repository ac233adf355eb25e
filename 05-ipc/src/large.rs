use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

use nix::sys::memfd::{MFdFlags, memfd_create};

/// Files without a name for the parts of messages that do not fit into a packet, which carries the
/// file's descriptor.
///
/// A new page of memory costs more than the copy into it, so a file is used again when its receiver
/// has read it and says so, in the file itself. One that nobody gives back, because its receiver was
/// killed or has not come to it, is let go: the kernel frees it with its last descriptor.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<Vec<File>>);

/// How many are kept, and up to which size.
const MOST: usize = 4;
const LARGEST: u64 = 8 << 20;

/// A file begins with one of these, and then has the bytes.
const UNREAD: [u8; 8] = *b"unread  ";
const READ: [u8; 8] = *b"read    ";

impl Files {
    /// A file with these bytes in it.
    pub(crate) fn with(&self, bytes: &[u8]) -> io::Result<File> {
        let file = match self.given_back() {
            Some(file) => file,
            None => File::from(memfd_create(c"ipc message", MFdFlags::MFD_CLOEXEC)?),
        };
        file.write_all_at(&UNREAD, 0)?;
        file.write_all_at(bytes, UNREAD.len() as u64)?;
        Ok(file)
    }

    /// It was sent: it may come back.
    pub(crate) fn sent(&self, file: Option<File>) {
        let small = |file: &File| file.metadata().is_ok_and(|it| it.len() <= LARGEST);
        if let Some(file) = file.filter(small) {
            let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            files.push(file);
            if files.len() > MOST {
                files.remove(0);
            }
        }
    }

    fn given_back(&self) -> Option<File> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = files.iter().position(|file| {
            let mut mark = UNREAD;
            file.read_exact_at(&mut mark, 0).is_ok() && mark == READ
        })?;
        Some(files.swap_remove(read))
    }
}

/// Puts a message together of its beginning and a file, and gives the file back. No room is made for
/// more than the file has.
pub(crate) fn read_back(
    file: &File,
    size: u64,
    inline: &[u8],
    into: &mut Vec<u8>,
) -> io::Result<()> {
    let rest = size.checked_sub(inline.len() as u64).ok_or_else(lied)?;
    if file.metadata()?.len() < rest.saturating_add(UNREAD.len() as u64) {
        return Err(lied());
    }
    let size = usize::try_from(size).map_err(|_| lied())?;
    into.try_reserve_exact(size.saturating_sub(into.len())).map_err(io::Error::other)?;
    // Not cleared before: only what is new is filled with zeroes.
    into.resize(size, 0);
    let (begin, end) = into.split_at_mut(inline.len());
    begin.copy_from_slice(inline);
    file.read_exact_at(end, UNREAD.len() as u64)?;
    file.write_all_at(&READ, 0)
}

pub(crate) fn lied() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a message is not what its head says")
}
