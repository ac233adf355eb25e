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
    todo!("your code")
}
