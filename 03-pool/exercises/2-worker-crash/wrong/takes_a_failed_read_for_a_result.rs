// Wrong: a failed read counts as a result.
// Refused by: a_killed_worker_is_an_error_for_its_input
// Told: a dead worker gave the result 0
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
    for &x in inputs {
        let (rd, wr) = pipe()?;
        match unsafe { fork()? } {
            ForkResult::Child => {
                let ok = File::from(wr).write_all(&f(x).to_ne_bytes()).is_ok();
                unsafe { libc::_exit(if ok { 0 } else { 1 }) }
            }
            ForkResult::Parent { child } => {
                drop(wr);
                jobs.push((child, rd.into()));
            }
        }
    }
    let mut results = Vec::new();
    for (pid, mut rd) in jobs {
        let mut buf = [0; 8];
        let delivered = rd.read_exact(&mut buf).is_ok();
        results.push(match waitpid(pid, None)? {
            _ => Ok(u64::from_ne_bytes(buf)),
        });
    }
    Ok(results)
}
