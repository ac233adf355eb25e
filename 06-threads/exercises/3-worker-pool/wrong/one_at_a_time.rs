// Wrong: f runs under a lock.
// Refused by: the_workers_work_at_once
// Told: one worker works at a time
use crossbeam_channel::bounded;
use std::thread;
pub fn process(jobs: impl Iterator<Item = u64> + Send, workers: usize, f: impl Fn(u64) -> u64 + Sync) -> Vec<(u64, u64)> {
    let (job_tx, job_rx) = bounded(4);
    let (res_tx, res_rx) = bounded(4);
    let lock = &std::sync::Mutex::new(());
    thread::scope(|s| {
        s.spawn(move || jobs.for_each(|j| job_tx.send(j).unwrap()));
        for _ in 0..workers {
            let (job_rx, res_tx, f) = (job_rx.clone(), res_tx.clone(), &f);
            s.spawn(move || {
                for j in job_rx {
                    let result = {
                        let _one = lock.lock();
                        f(j)
                    };
                    res_tx.send((j, result)).unwrap();
                }
            });
        }
        drop(res_tx);
        res_rx.into_iter().collect()
    })
}
