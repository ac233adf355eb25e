// Wrong: the new worker keeps the earlier workers' write ends.
// Refused by: three_workers_end_one_by_one
// Told: the later workers inherited the write end
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
    let (rd, wr) = pipe()?;
    match unsafe { fork()? } {
        ForkResult::Child => {
            drop(wr);
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
    w.tasks = None;
    match waitpid(w.pid, None)? {
        WaitStatus::Exited(_, code) => Ok(Some(code)),
        _ => Ok(None),
    }
}
