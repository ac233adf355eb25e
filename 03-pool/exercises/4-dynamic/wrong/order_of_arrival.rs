// Wrong: it takes the results as they come, and not where they belong.
// Refused by: a_free_worker_takes_the_next_task
// Told: put each at the index that it came with
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, pipe};
use std::fs::File;
use std::io::{Read, Write};

fn encode(index: u64, value: u64) -> [u8; 16] {
    [index.to_ne_bytes(), value.to_ne_bytes()].concat().try_into().unwrap()
}

fn decode(rec: &[u8; 16]) -> (u64, u64) {
    let part = |r: &[u8]| u64::from_ne_bytes(r.try_into().unwrap());
    (part(&rec[..8]), part(&rec[8..]))
}

/// `n` forked workers take tasks from one shared pipe, each a new one as soon as it is free, and send (index, result)
/// through one shared result pipe (records of 16 bytes; writes and reads of that size are atomic here).
/// Returns results in input order. Any number of inputs; no zombie, no descriptor left. `f` never fails.
pub fn map_dynamic(n: usize, inputs: &[u64], f: fn(u64) -> u64) -> nix::Result<Vec<u64>> {
    let (task_rd, task_wr) = pipe()?;
    let (res_rd, res_wr) = pipe()?;
    let mut pids = Vec::new();
    for _ in 0..n {
        match unsafe { fork()? } {
            ForkResult::Child => {
                drop((task_wr, res_rd));
                let (mut tasks, mut results) = (File::from(task_rd), File::from(res_wr));
                let mut rec = [0; 16];
                while tasks.read_exact(&mut rec).is_ok() {
                    let (i, x) = decode(&rec);
                    if results.write_all(&encode(i, f(x))).is_err() {
                        break;
                    }
                }
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => pids.push(child),
        }
    }
    drop((task_rd, res_wr));
    let mut out = Vec::new();
    std::thread::scope(|s| {
        let mut tasks = File::from(task_wr);
        s.spawn(move || {
            for (i, x) in inputs.iter().enumerate() {
                tasks.write_all(&encode(i as u64, *x)).unwrap();
            }
        });
        let (mut results, mut rec) = (File::from(res_rd), [0; 16]);
        while results.read_exact(&mut rec).is_ok() {
            let (_, v) = decode(&rec);
            out.push(v);
        }
    });
    for pid in pids {
        waitpid(pid, None)?;
    }
    Ok(out)
}
