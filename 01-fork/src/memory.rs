use std::{fs, io};

/// How much memory a process has in RAM, in bytes, and how much of it is its alone.
///
/// Unlike the one number of `ps`, which counts a page that parent and child share in both, it tells
/// the pages apart. After a fork the two share every page (*copy-on-write*); the first of them to
/// write to one gets a copy, and the page counts as private from then on.
///
/// ```
/// let me = fork::Memory::of(std::process::id().cast_signed())?;
/// assert!(me.private_dirty <= me.resident);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Source: [proc_pid_smaps(5)](https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// In RAM at all (`Rss`).
    pub resident: u64,
    /// In RAM once, for this process and at least one other (`Shared_Clean` and `Shared_Dirty`).
    pub shared: u64,
    /// This process's alone, and written to: what its end would free (`Private_Dirty`).
    pub private_dirty: u64,
}

impl Memory {
    /// Measures a process of the same user, while it runs.
    ///
    /// # Errors
    ///
    /// `ENOENT` or `ESRCH` when it has ended (a zombie has no memory), `EACCES` when it is another
    /// user's.
    pub fn of(pid: i32) -> io::Result<Memory> {
        let totals = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
        let text = match totals {
            // Linux before 4.14 has no totals: the same lines for each mapping, to be added up.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::read_to_string(format!("/proc/{pid}/smaps"))?
            }
            totals => totals?,
        };
        let sum = |field: &str| text.lines().filter_map(|line| kilobytes(line, field)).sum::<u64>();
        Ok(Memory {
            resident: 1024 * sum("Rss"),
            shared: 1024 * (sum("Shared_Clean") + sum("Shared_Dirty")),
            private_dirty: 1024 * sum("Private_Dirty"),
        })
    }
}

/// The number in a line such as `Private_Dirty:       12 kB`.
fn kilobytes(line: &str, field: &str) -> Option<u64> {
    line.strip_prefix(field)?.strip_prefix(':')?.trim().strip_suffix(" kB")?.parse().ok()
}

/// Asks for a buffer's memory to come in huge pages (2 MiB, where an ordinary one has 4 KiB) when it is
/// first touched, and says nothing if there are none: it is advice.
///
/// Each first touch of a page is a trap into the kernel, and in a large buffer these cost more than
/// what is written there. A fork, too, copies one entry for each page.
///
/// Source: [madvise(2)](https://man7.org/linux/man-pages/man2/madvise.2.html), `MADV_HUGEPAGE`.
pub fn prefer_huge_pages(buffer: &mut Vec<u8>) {
    const PAGE: usize = 4096;
    // From the start of its first page: advised in part, a mapping becomes two, and no longer grows in
    // place (mremap(2)) when the buffer does.
    let start = buffer.as_mut_ptr();
    let before = start.addr() % PAGE;
    let length = (before + buffer.capacity()).next_multiple_of(PAGE);
    // SAFETY: the advice changes neither what is in the pages nor who may touch them, so that those at
    // both ends may be others' as well. Of pages that don't exist the call says no more than ENOMEM.
    unsafe { libc::madvise(start.wrapping_sub(before).cast(), length, libc::MADV_HUGEPAGE) };
}
