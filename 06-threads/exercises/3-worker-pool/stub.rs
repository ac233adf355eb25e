use crossbeam_channel::bounded;
use std::thread;

/// Run `f` over the jobs on `workers` threads. Job channel and result channel both have capacity 4 (keep it).
/// Jobs come from an iterator that may be slow. Returns (job, result) pairs in any order, one per job; all threads are joined.
pub fn process(
    jobs: impl Iterator<Item = u64> + Send,
    workers: usize,
    f: impl Fn(u64) -> u64 + Sync,
) -> Vec<(u64, u64)> {
    todo!("your code")
}
