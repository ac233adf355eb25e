// Wrong: worker w gets every n-th input, whatever it takes.
// Refused by: a_free_worker_takes_the_next_task
// Told: tasks waited behind it though the others were idle
use nix::sys::wait::wait;
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
    for w in 0..n {
        if let ForkResult::Child = unsafe { fork()? } {
            drop((task_wr, task_rd, res_rd));
            let mut results = File::from(res_wr);
            for (i, x) in inputs.iter().enumerate().filter(|(i, _)| i % n == w) {
                results.write_all(&encode(i as u64, f(*x))).unwrap();
            }
            unsafe { libc::_exit(0) }
        }
    }
    drop((task_rd, res_wr));
    let mut out = vec![0; inputs.len()];
    std::thread::scope(|s| {
        let _ = (s, task_wr);
        let (mut results, mut rec) = (File::from(res_rd), [0; 16]);
        while results.read_exact(&mut rec).is_ok() {
            let (i, v) = decode(&rec);
            out[i as usize] = v;
        }
    });
    (0..n).try_for_each(|_| wait().map(drop))?;
    Ok(out)
}
