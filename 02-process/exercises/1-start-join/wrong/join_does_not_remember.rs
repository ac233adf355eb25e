// Wrong: join does not remember the code.
// Refused by: a_second_join_gives_the_same_code
// Told: the second join failed with ECHILD
use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::panic::{AssertUnwindSafe, catch_unwind};

pub struct Process {
    pub name: String,
    pub pid: Pid,
    code: Option<i32>,
}

impl Process {
    /// Fork and run `f` in the child. The child ends with the code that `f` returns, or with 101 if `f` panics;
    /// it never returns and never runs destructors of the caller.
    pub fn start(name: &str, f: impl FnOnce() -> i32) -> nix::Result<Process> {
        match unsafe { fork()? } {
            ForkResult::Child => {
                let code = catch_unwind(AssertUnwindSafe(f)).unwrap_or(101);
                unsafe { libc::_exit(code) }
            }
            ForkResult::Parent { child } => Ok(Process { name: name.into(), pid: child, code: None }),
        }
    }

    /// Wait for the end and return the exit code (negative signal number if a signal killed it, as in Python).
    /// May be called again: it returns the same code. A signal handled meanwhile does not make it fail.
    pub fn join(&mut self) -> nix::Result<i32> {
        if let Some(code) = self.code {
            return Ok(code);
        }
        let code = loop {
            match waitpid(self.pid, None) {
                Ok(WaitStatus::Exited(_, code)) => break code,
                Ok(WaitStatus::Signaled(_, sig, _)) => break -(sig as i32),
                Ok(_) | Err(Errno::EINTR) => continue,
                Err(e) => return Err(e),
            }
        };
        Ok(code)
    }
}
