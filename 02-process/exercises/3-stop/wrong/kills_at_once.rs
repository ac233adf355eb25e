// Wrong: SIGKILL at once.
// Refused by: a_polite_process_may_clean_up
// Told: the process got no chance to clean up
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::time::{Duration, Instant};

pub struct Process {
    /// None once the process was reaped.
    pub pid: Option<Pid>,
}

impl Process {
    pub fn start(f: impl FnOnce() -> i32) -> nix::Result<Process> {
        match unsafe { fork()? } {
            ForkResult::Child => unsafe { libc::_exit(f()) },
            ForkResult::Parent { child } => Ok(Process { pid: Some(child) }),
        }
    }

    /// Send SIGTERM; if the process has not ended after `grace`, send SIGKILL. Reap it in both cases.
    /// Ok(true) when it went by itself, Ok(false) when it had to be killed or was stopped before (no signal is sent then).
    pub fn stop(&mut self, grace: Duration) -> nix::Result<bool> {
        let Some(pid) = self.pid else { return Ok(false) };
        kill(pid, Signal::SIGKILL)?;
        let end = Instant::now() + grace;
        let polite = loop {
            if waitpid(pid, Some(WaitPidFlag::WNOHANG))? != WaitStatus::StillAlive {
                break true;
            }
            if Instant::now() >= end {
                kill(pid, Signal::SIGKILL)?;
                waitpid(pid, None)?;
                break false;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        self.pid = None;
        Ok(polite)
    }
}
