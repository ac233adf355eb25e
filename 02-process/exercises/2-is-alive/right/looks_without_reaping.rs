// Right: is_alive leaves the zombie where it is (WNOWAIT), and only join reaps.
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
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
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        self.code.is_none() && waitid(Id::Pid(self.pid), look) == Ok(WaitStatus::StillAlive)
    }

    pub fn join(&mut self) -> nix::Result<i32> {
        loop {
            match (self.code, waitpid(self.pid, None)) {
                (Some(code), _) => return Ok(code),
                (None, Ok(WaitStatus::Exited(_, code))) => self.code = Some(code),
                (None, Ok(WaitStatus::Signaled(_, signal, _))) => self.code = Some(-(signal as i32)),
                (None, Ok(_) | Err(Errno::EINTR)) => {}
                (None, Err(error)) => return Err(error),
            }
        }
    }
}
