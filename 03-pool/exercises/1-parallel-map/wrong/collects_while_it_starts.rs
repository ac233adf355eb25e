// Wrong: it collects inside the loop that starts.
// Refused by: all_workers_run_at_the_same_time
// Told: the workers ran one after the other: start them all first
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, pipe};
use std::fs::File;
use std::io::{Read, Write};

/// Apply `f` to every input, one forked child per input, all at the same time.
/// Results (any length) come back in the order of the inputs. Leaves no zombie and no descriptor.
pub fn parallel_map(inputs: &[u64], f: fn(u64) -> Vec<u8>) -> nix::Result<Vec<Vec<u8>>> {
    let mut results = Vec::new();
    for &x in inputs {
        let (rd, wr) = pipe()?;
        match unsafe { fork()? } {
            ForkResult::Child => {
                let ok = File::from(wr).write_all(&f(x)).is_ok();
                unsafe { libc::_exit(if ok { 0 } else { 1 }) }
            }
            ForkResult::Parent { child } => {
                drop(wr);
                let mut out = Vec::new();
                File::from(rd).read_to_end(&mut out).map_err(|_| nix::errno::Errno::EIO)?;
                waitpid(child, None)?;
                results.push(out);
            }
        }
    }
    Ok(results)
}
