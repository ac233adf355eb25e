// Wrong: after SIGKILL nobody waits.
// Refused by: nothing_is_left
// Told: after SIGKILL the process must be waited for as well
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::time::{Duration, Instant};

pub struct Process {
    pub pid: Option<Pid>,
}

impl Process {
    pub fn start(f: impl FnOnce() -> i32) -> nix::Result<Process> {
        match unsafe { fork()? } {
            ForkResult::Child => unsafe { libc::_exit(f()) },
            ForkResult::Parent { child } => Ok(Process { pid: Some(child) }),
        }
    }

    pub fn stop(&mut self, grace: Duration) -> nix::Result<bool> {
        let Some(pid) = self.pid.take() else { return Ok(false) };
        kill(pid, Signal::SIGTERM)?;
        let end = Instant::now() + grace;
        while Instant::now() < end {
            if waitpid(pid, Some(WaitPidFlag::WNOHANG))? != WaitStatus::StillAlive {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        kill(pid, Signal::SIGKILL)?;
        Ok(false)
    }
}
