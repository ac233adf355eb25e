use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pipe};
use std::fs::File;
use std::io::{Read, Write};

pub struct Worker {
    pub pid: Pid,
    /// Write end of the worker's task pipe; None once closed.
    pub tasks: Option<File>,
}

impl Worker {
    pub fn submit(&mut self, x: u64) -> std::io::Result<()> {
        self.tasks.as_mut().unwrap().write_all(&x.to_ne_bytes())
    }
}

/// Fork one more worker. It runs `f` for each task (8 bytes) and ends with code 0 at the end of its task pipe.
/// `earlier` are the workers forked before: the new worker must not keep their write ends open.
pub fn spawn_worker(earlier: &[Worker], f: fn(u64)) -> nix::Result<Worker> {
    use std::os::fd::AsRawFd;
    let (rd, wr) = pipe()?;
    match unsafe { fork()? } {
        ForkResult::Child => {
            // Whoever holds a write end keeps the reader of that pipe alive: first this worker itself, …
            drop(wr);
            // … then the earlier ones. The numbers are those of the parent, and name this process's copies.
            for fd in earlier.iter().filter_map(|w| w.tasks.as_ref()) {
                unsafe { libc::close(fd.as_raw_fd()) };
            }
            let mut rd = File::from(rd);
            let mut task = [0; 8];
            while rd.read_exact(&mut task).is_ok() {
                f(u64::from_ne_bytes(task));
            }
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => Ok(Worker { pid: child, tasks: Some(wr.into()) }),
    }
}

/// Close the worker's task pipe, let it finish every submitted task, reap it and return its exit code (None if killed).
pub fn close_and_join(w: &mut Worker) -> nix::Result<Option<i32>> {
    // The end of its tasks is what tells it to end.
    w.tasks = None;
    match waitpid(w.pid, None)? {
        WaitStatus::Exited(_, code) => Ok(Some(code)),
        _ => Ok(None),
    }
}
