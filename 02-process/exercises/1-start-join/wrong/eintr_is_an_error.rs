// Wrong: a signal that is handled meanwhile makes join fail.
// Refused by: a_signal_during_join_changes_nothing
// Told: on EINTR wait again
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::panic::{AssertUnwindSafe, catch_unwind};

pub struct Process {
    pub name: String,
    pub pid: Pid,
    code: Option<i32>,
}

impl Process {
    pub fn start(name: &str, f: impl FnOnce() -> i32) -> nix::Result<Process> {
        match unsafe { fork()? } {
            ForkResult::Child => {
                let code = catch_unwind(AssertUnwindSafe(f)).unwrap_or(101);
                unsafe { libc::_exit(code) }
            }
            ForkResult::Parent { child } => {
                Ok(Process { name: name.into(), pid: child, code: None })
            }
        }
    }

    pub fn join(&mut self) -> nix::Result<i32> {
        if self.code.is_none() {
            self.code = Some(match waitpid(self.pid, None)? {
                WaitStatus::Exited(_, code) => code,
                WaitStatus::Signaled(_, signal, _) => -(signal as i32),
                other => unreachable!("{other:?}"),
            });
        }
        Ok(self.code.unwrap())
    }
}
