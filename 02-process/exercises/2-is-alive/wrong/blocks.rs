// Wrong: is_alive waits for the end.
// Refused by: it_turns_false_when_the_process_ends
// Told: is_alive waits for the end of the process
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

pub struct Process {
    pub pid: Pid,
    code: Option<i32>,
}

impl Process {
    pub fn start(f: impl FnOnce() -> i32) -> nix::Result<Process> {
        match unsafe { fork()? } {
            ForkResult::Child => unsafe { libc::_exit(f()) },
            ForkResult::Parent { child } => Ok(Process { pid: child, code: None }),
        }
    }

    pub fn is_alive(&mut self) -> bool {
        self.join().is_err()
    }

    pub fn join(&mut self) -> nix::Result<i32> {
        while self.code.is_none() {
            self.code = match waitpid(self.pid, None)? {
                WaitStatus::Exited(_, code) => Some(code),
                WaitStatus::Signaled(_, signal, _) => Some(-(signal as i32)),
                _ => None,
            };
        }
        Ok(self.code.unwrap())
    }
}
