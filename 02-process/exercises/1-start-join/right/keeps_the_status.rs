// Right: the status is kept as the kernel gave it, and taken apart at each join.
use nix::errno::Errno;
use nix::unistd::Pid;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub struct Process {
    pub name: String,
    pub pid: Pid,
    status: Option<i32>,
}

impl Process {
    pub fn start(name: &str, f: impl FnOnce() -> i32) -> nix::Result<Process> {
        let pid = Errno::result(unsafe { libc::fork() })?;
        if pid == 0 {
            let code = catch_unwind(AssertUnwindSafe(f)).unwrap_or(101);
            unsafe { libc::_exit(code) }
        }
        Ok(Process { name: name.to_owned(), pid: Pid::from_raw(pid), status: None })
    }

    pub fn join(&mut self) -> nix::Result<i32> {
        let mut status = 0;
        while self.status.is_none() {
            match Errno::result(unsafe { libc::waitpid(self.pid.as_raw(), &mut status, 0) }) {
                Err(Errno::EINTR) => {}
                ended => self.status = ended.map(|_| Some(status))?,
            }
        }
        let status = self.status.unwrap();
        Ok(if libc::WIFSIGNALED(status) {
            -libc::WTERMSIG(status)
        } else {
            libc::WEXITSTATUS(status)
        })
    }
}
