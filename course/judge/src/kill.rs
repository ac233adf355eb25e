//! `kill(-1)`: a signal to whoever one may signal, a learner's desktop included.
//!
//! It is a typical accident: a pid that was never set, or a -1 that nobody took for an error. An exercise is not isolated,
//! for not every system allows that, so the call itself is refused. A definition in the program goes before the C
//! library's, also for the standard library and `nix`.
//!
//! Source: [kill(2)](https://man7.org/linux/man-pages/man2/kill.2.html),
//! [ld.so(8)](https://man7.org/linux/man-pages/man8/ld.so.8.html) on the order in which symbols are looked up.

use nix::libc::{self, c_int, pid_t};

use crate::exercise;

const SENTENCE: &str = "it signals the pid -1, which means every process that you may signal, your desktop included: \
                        where does the -1 come from?";

/// What the C library's does, but for everybody at once in an exercise: that ends the case.
#[allow(unsafe_code, reason = "a name that the linker knows, and a bare system call")]
// SAFETY: nobody else in the course defines it, and it has the C library's signature and meaning.
#[unsafe(no_mangle)]
extern "C" fn kill(pid: pid_t, signal: c_int) -> c_int {
    // With signal 0 it only asks.
    if pid == -1 && signal != 0 && exercise::has_begun() {
        exercise::refuse(SENTENCE);
    }
    // SAFETY: kill takes two numbers and no address; an error is in errno, as the caller expects.
    let done = unsafe { libc::syscall(libc::SYS_kill, pid, signal) };
    if done == 0 { 0 } else { -1 }
}
