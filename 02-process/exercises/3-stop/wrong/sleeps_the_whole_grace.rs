// Wrong: it sleeps for the whole grace, though the process has ended long since.
// Refused by: a_polite_process_may_clean_up
// Told: look again and again while the grace lasts
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::time::Duration;

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
        std::thread::sleep(grace);
        if waitpid(pid, Some(WaitPidFlag::WNOHANG))? != WaitStatus::StillAlive {
            return Ok(true);
        }
        kill(pid, Signal::SIGKILL)?;
        waitpid(pid, None)?;
        Ok(false)
    }
}
