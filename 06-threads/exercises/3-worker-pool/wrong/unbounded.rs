// Wrong: the channels have no bound.
// Refused by: a_full_channel_holds_the_producer_back
// Told: capacity 4
use crossbeam_channel::bounded;
use std::thread;
pub fn process(jobs: impl Iterator<Item = u64> + Send, workers: usize, f: impl Fn(u64) -> u64 + Sync) -> Vec<(u64, u64)> {
    let (job_tx, job_rx) = crossbeam_channel::unbounded();
    let (res_tx, res_rx) = crossbeam_channel::unbounded();
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
