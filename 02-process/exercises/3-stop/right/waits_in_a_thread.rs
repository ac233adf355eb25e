// Right: a thread does the waiting, and a channel's timeout is the grace.
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};
use std::sync::mpsc::channel;
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
        let (ended, end) = channel();
        kill(pid, Signal::SIGTERM)?;
        std::thread::scope(|scope| {
            scope.spawn(move || ended.send(waitpid(pid, None)));
            let polite = end.recv_timeout(grace).is_ok();
            if !polite {
                kill(pid, Signal::SIGKILL)?;
            }
            Ok(polite)
        })
    }
}
