// Wrong: the sender that was cloned from is never dropped.
// Refused by: jobs_that_come_slowly_are_all_done
// Told: the Sender you cloned from is still alive
use crossbeam_channel::bounded;
use std::thread;
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
        res_rx.into_iter().collect()
    })
}
