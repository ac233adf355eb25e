// Wrong: it returns the raw wait status.
// Refused by: codes_come_back_unchanged
// Told: you returned the raw wait status
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

/// Fork; the child runs `f` and ends with the code that `f` returns (the kernel keeps only `code & 0xff`).
/// The parent waits for exactly this child and returns its exit code, 0..=255,
/// or `128 + signal` when a signal killed it. Err only when fork or wait failed.
pub fn run_in_child(f: impl FnOnce() -> i32) -> nix::Result<i32> {
    match unsafe { fork()? } {
        ForkResult::Child => {
            let code = f();
            unsafe { libc::_exit(code) }
        }
        ForkResult::Parent { child } => {
            let mut status = 0;
            nix::errno::Errno::result(unsafe { libc::waitpid(child.as_raw(), &mut status, 0) })?;
            Ok(status)
        }
    }
}
