//! The kernel's part of a wait in memory.

use std::ptr;
pub(crate) use std::sync::atomic::{AtomicU32, fence};
use std::time::Duration;

/// Sleeps while `word` is `expected`, at most that long; wakes for no reason at times (a signal,
/// for one), so the caller looks again.
///
/// Not `FUTEX_PRIVATE`: the kernel looks for sleepers by the memory itself, in all processes.
///
/// Source: [futex(2)](https://man7.org/linux/man-pages/man2/futex.2.html).
pub(crate) fn futex_wait(word: &AtomicU32, expected: u32, most: Duration) {
    let most = libc::timespec {
        tv_sec: most.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: most.subsec_nanos().into(),
    };
    let (wait, most) = (libc::FUTEX_WAIT, &raw const most);
    // SAFETY: word and time are valid for the length of the call, and the kernel only reads them.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), wait, expected, most) };
}

/// Wakes so many who sleep on it.
pub(crate) fn futex_wake(word: &AtomicU32, most: i32) {
    let nothing = ptr::null::<libc::timespec>();
    // SAFETY: the kernel uses the address as a key and does not touch the memory.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, most, nothing) };
}
