// Wrong: start waits for the end, so that processes run one after the other.
// Refused by: name_pid_and_code_are_right
// Told: the two processes do not run at the same time
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

pub struct Process {
    pub name: String,
    pub pid: Pid,
    code: i32,
}

impl Process {
    pub fn start(name: &str, f: impl FnOnce() -> i32) -> nix::Result<Process> {
        match unsafe { fork()? } {
            ForkResult::Child => unsafe { libc::_exit(f()) },
            ForkResult::Parent { child } => {
                let code = match waitpid(child, None)? {
                    WaitStatus::Exited(_, code) => code,
                    WaitStatus::Signaled(_, signal, _) => -(signal as i32),
                    other => unreachable!("{other:?}"),
                };
                Ok(Process { name: name.into(), pid: child, code })
            }
        }
    }

    pub fn join(&mut self) -> nix::Result<i32> {
        Ok(self.code)
    }
}
