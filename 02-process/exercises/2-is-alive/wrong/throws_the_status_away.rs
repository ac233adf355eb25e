// Wrong: the poll throws the status away.
// Refused by: join_after_is_alive_gives_the_code
// Told: join after is_alive failed
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
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

    fn poll(&mut self, flag: Option<WaitPidFlag>) -> nix::Result<()> {
        if self.code.is_none() {
            self.code = match waitpid(self.pid, flag)? {
                WaitStatus::Exited(_, code) => Some(code),
                WaitStatus::Signaled(_, sig, _) => Some(-(sig as i32)),
                _ => None,
            };
        }
        Ok(())
    }

    /// True while the process runs; false as soon as it ended (also before anyone joined it). Never blocks.
    pub fn is_alive(&mut self) -> bool {
        matches!(waitpid(self.pid, Some(WaitPidFlag::WNOHANG)), Ok(WaitStatus::StillAlive))
    }

    /// Wait for the end and return the exit code, also when is_alive has seen the end before.
    pub fn join(&mut self) -> nix::Result<i32> {
        while self.code.is_none() {
            self.poll(None)?;
        }
        Ok(self.code.unwrap())
    }
}
