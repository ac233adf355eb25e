use crossbeam_channel::bounded;
use std::thread;

/// Run `f` over the jobs on `workers` threads. Job channel and result channel both have capacity 4 (keep it).
/// Jobs come from an iterator that may be slow. Returns (job, result) pairs in any order, one per job; all threads are joined.
pub fn process(jobs: impl Iterator<Item = u64> + Send, workers: usize, f: impl Fn(u64) -> u64 + Sync) -> Vec<(u64, u64)> {
    let (job_tx, job_rx) = bounded(4);
    let (res_tx, res_rx) = bounded(4);
    thread::scope(|s| {
        s.spawn(move || jobs.for_each(|j| job_tx.send(j).unwrap()));
        for _ in 0..workers {
            let (job_rx, res_tx, f) = (job_rx.clone(), res_tx.clone(), &f);
            s.spawn(move || {
                for j in job_rx {
                    res_tx.send((j, f(j))).unwrap();
                }
            });
        }
        drop(res_tx);
        res_rx.into_iter().collect()
    })
}
