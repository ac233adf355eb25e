// Wrong: it waits for each child before it forks the next.
// Refused by: four_children_count_at_once
// Told: fork all of them first
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
pub fn count_in_children(n: usize, per: u64) -> nix::Result<u64> {
    let len = NonZeroUsize::new(size_of::<AtomicU64>()).unwrap();
    let (prot, flags) = (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED);
    let map = unsafe { mmap_anonymous(None, len, prot, flags)? };
    let counter = unsafe { map.cast::<AtomicU64>().as_ref() };
    let mut children = Vec::new();
    for _ in 0..n {
        match unsafe { fork()? } {
            ForkResult::Child => {
                for _ in 0..per {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => {
                waitpid(child, None)?;
                children.push(child);
            }
        }
    }
    let total = counter.load(Ordering::Relaxed);
    unsafe { munmap(map, len.get())? };
    Ok(total)
}
