// Wrong: it sends all jobs before it receives a result.
// Refused by: a_thousand_jobs_are_done
// Told: send from a thread of its own
use crossbeam_channel::bounded;
use std::thread;
pub fn process(jobs: impl Iterator<Item = u64> + Send, workers: usize, f: impl Fn(u64) -> u64 + Sync) -> Vec<(u64, u64)> {
    let (job_tx, job_rx) = bounded(4);
    let (res_tx, res_rx) = bounded(4);
    thread::scope(|s| {
        for _ in 0..workers {
            let (job_rx, res_tx, f) = (job_rx.clone(), res_tx.clone(), &f);
            s.spawn(move || {
                for j in job_rx {
                    res_tx.send((j, f(j))).unwrap();
                }
            });
        }
        drop(res_tx);
        jobs.for_each(|j| job_tx.send(j).unwrap());
        drop(job_tx);
        res_rx.into_iter().collect()
    })
}
