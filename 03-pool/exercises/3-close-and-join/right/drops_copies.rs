// Right: the ends are closed by dropping copies of their owners, and tasks are read many at once.
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pipe};
use std::fs::File;
use std::io::{BufReader, Read, Write};

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
            // A copy of each earlier worker, whose drop closes its write end in this process only.
            for worker in earlier {
                drop(unsafe { std::ptr::read(&worker.tasks) });
            }
            let mut rd = BufReader::new(File::from(rd));
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
    drop(w.tasks.take());
    loop {
        match waitpid(w.pid, None) {
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error),
            Ok(WaitStatus::Exited(_, code)) => return Ok(Some(code)),
            Ok(_) => return Ok(None),
        }
    }
}
