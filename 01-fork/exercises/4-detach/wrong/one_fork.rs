// Wrong: one fork only; the worker is the caller's child.
// Refused by: the_pid_is_the_workers
// Told: the worker is your child
use nix::unistd::{ForkResult, Pid, fork, setsid};

pub fn detach(work: impl FnOnce()) -> nix::Result<Pid> {
    match unsafe { fork()? } {
        ForkResult::Child => {
            let _ = setsid();
            work();
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => Ok(child),
    }
}
