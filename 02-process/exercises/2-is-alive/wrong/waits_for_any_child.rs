// Wrong: it asks for any child's end, and takes another one's status for its own.
// Refused by: two_processes_do_not_disturb_each_other
// Told: wait for your own pid, not for any child
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
            self.code = match waitpid(None, flag)? {
                WaitStatus::Exited(_, code) => Some(code),
                WaitStatus::Signaled(_, signal, _) => Some(-(signal as i32)),
                _ => None,
            };
        }
        Ok(())
    }

    pub fn is_alive(&mut self) -> bool {
        self.poll(Some(WaitPidFlag::WNOHANG)).is_ok() && self.code.is_none()
    }

    pub fn join(&mut self) -> nix::Result<i32> {
        while self.code.is_none() {
            self.poll(None)?;
        }
        Ok(self.code.unwrap())
    }
}
