// Wrong: it waits for the workers before it drains their pipes.
// Refused by: a_result_larger_than_a_pipe_comes_back
// Told: drain it to the end first, then wait
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, pipe};
use std::fs::File;
use std::io::{Read, Write};

/// Apply `f` to every input, one forked child per input, all at the same time.
/// Results (any length) come back in the order of the inputs. Leaves no zombie and no descriptor.
pub fn parallel_map(inputs: &[u64], f: fn(u64) -> Vec<u8>) -> nix::Result<Vec<Vec<u8>>> {
    let mut jobs: Vec<(Pid, File)> = Vec::new();
    for &x in inputs {
        let (rd, wr) = pipe()?;
        match unsafe { fork()? } {
            ForkResult::Child => {
                let ok = File::from(wr).write_all(&f(x)).is_ok();
                unsafe { libc::_exit(if ok { 0 } else { 1 }) }
            }
            ForkResult::Parent { child } => jobs.push((child, rd.into())),
        }
    }
    let mut results = Vec::new();
    for (pid, mut rd) in jobs {
        waitpid(pid, None)?;
        let mut out = Vec::new();
        rd.read_to_end(&mut out).map_err(|_| nix::errno::Errno::EIO)?;
        results.push(out);
    }
    Ok(results)
}
