// Wrong: the parent keeps the write ends.
// Refused by: a_killed_worker_is_an_error_for_its_input
// Told: hang: a worker died and you still wait for its result
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pipe};
use std::fs::File;
use std::io::{Read, Write};

#[derive(Debug, PartialEq, Clone, Copy)]
pub enum Crash {
    /// Ended with this code without delivering.
    Exit(i32),
    /// Killed by this signal.
    Signal(i32),
}

/// One forked worker per input, all at the same time; results in input order.
/// A worker that dies before it delivered gives Err for its input only; all other results still come. Never hangs on a dead worker.
pub fn map_with_crashes(inputs: &[u64], f: fn(u64) -> u64) -> nix::Result<Vec<Result<u64, Crash>>> {
    let mut jobs: Vec<(Pid, File)> = Vec::new();
    let mut pipes = Vec::new();
    for &x in inputs {
        let (rd, wr) = pipe()?;
        match unsafe { fork()? } {
            ForkResult::Child => {
                let ok = File::from(wr).write_all(&f(x).to_ne_bytes()).is_ok();
                unsafe { libc::_exit(if ok { 0 } else { 1 }) }
            }
            ForkResult::Parent { child } => {
                pipes.push(wr);
                jobs.push((child, rd.into()));
            }
        }
    }
    let mut results = Vec::new();
    for (pid, mut rd) in jobs {
        let mut buf = [0; 8];
        let delivered = rd.read_exact(&mut buf).is_ok();
        results.push(match waitpid(pid, None)? {
            WaitStatus::Exited(_, 0) if delivered => Ok(u64::from_ne_bytes(buf)),
            WaitStatus::Exited(_, code) => Err(Crash::Exit(code)),
            WaitStatus::Signaled(_, sig, _) => Err(Crash::Signal(sig as i32)),
            other => panic!("{other:?}"),
        });
    }
    Ok(results)
}
