// Wrong: it waits for any child, and takes the status of one that is not its own.
// Refused by: the_child_is_reaped_and_nobody_elses
// Told: you reaped a child that is not yours
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{ForkResult, fork};

pub fn run_in_child(f: impl FnOnce() -> i32) -> nix::Result<i32> {
    match unsafe { fork()? } {
        ForkResult::Child => unsafe { libc::_exit(f()) },
        ForkResult::Parent { .. } => match wait()? {
            WaitStatus::Exited(_, code) => Ok(code),
            WaitStatus::Signaled(_, signal, _) => Ok(128 + signal as i32),
            other => unreachable!("{other:?}"),
        },
    }
}
