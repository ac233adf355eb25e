// Wrong: a signal's number is returned as if it were an exit code.
// Refused by: a_signal_is_128_and_its_number
// Told: you returned the signal's number alone
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

pub fn run_in_child(f: impl FnOnce() -> i32) -> nix::Result<i32> {
    match unsafe { fork()? } {
        ForkResult::Child => unsafe { libc::_exit(f()) },
        ForkResult::Parent { child } => Ok(match waitpid(child, None)? {
            WaitStatus::Exited(_, code) => code,
            WaitStatus::Signaled(_, signal, _) => signal as i32,
            other => unreachable!("{other:?}"),
        }),
    }
}
