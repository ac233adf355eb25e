// Wrong: the child returns instead of ending.
// Refused by: codes_come_back_unchanged
// Told: the child came back out of run_in_child
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

/// Fork; the child runs `f` and ends with the code that `f` returns (the kernel keeps only `code & 0xff`).
/// The parent waits for exactly this child and returns its exit code, 0..=255,
/// or `128 + signal` when a signal killed it. Err only when fork or wait failed.
pub fn run_in_child(f: impl FnOnce() -> i32) -> nix::Result<i32> {
    match unsafe { fork()? } {
        ForkResult::Child => {
            let code = f();
            Ok(code)
        }
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, code) => Ok(code),
            WaitStatus::Signaled(_, sig, _) => Ok(128 + sig as i32),
            other => unreachable!("{other:?}"),
        },
    }
}
