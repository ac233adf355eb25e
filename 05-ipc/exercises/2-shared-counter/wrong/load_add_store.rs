// Wrong: an update of another child gets lost between load and store.
// Refused by: four_children_count_at_once
// Told: use fetch_add
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
                    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                }
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => children.push(child),
        }
    }
    for child in children {
        waitpid(child, None)?;
    }
    let total = counter.load(Ordering::Relaxed);
    unsafe { munmap(map, len.get())? };
    Ok(total)
}
