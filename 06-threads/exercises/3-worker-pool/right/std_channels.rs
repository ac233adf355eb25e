// Right: the channels of std, with a lock around the receiver that is not held during f.
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::thread;

pub fn process(jobs: impl Iterator<Item = u64> + Send, workers: usize, f: impl Fn(u64) -> u64 + Sync) -> Vec<(u64, u64)> {
    let (job_tx, job_rx) = sync_channel(4);
    let (res_tx, res_rx) = sync_channel(4);
    let job_rx = Mutex::new(job_rx);
    let (job_rx, f) = (&job_rx, &f);
    thread::scope(|s| {
        for _ in 0..workers {
            let res_tx = res_tx.clone();
            s.spawn(move || {
                loop {
                    let job = job_rx.lock().unwrap().recv();
                    let Ok(job) = job else { break };
                    res_tx.send((job, f(job))).unwrap();
                }
            });
        }
        drop(res_tx);
        let collector = s.spawn(move || res_rx.into_iter().collect());
        jobs.for_each(|job| job_tx.send(job).unwrap());
        drop(job_tx);
        collector.join().unwrap()
    })
}
