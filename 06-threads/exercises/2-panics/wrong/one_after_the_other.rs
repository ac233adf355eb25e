// Wrong: it joins each before it spawns the next.
// Refused by: all_run_at_the_same_time
// Told: the jobs ran one after the other
use std::thread;

pub type Job = Box<dyn FnOnce() -> u64 + Send>;
pub fn run_all(jobs: Vec<Job>) -> Vec<Result<u64, String>> {
    jobs.into_iter()
        .map(thread::spawn)
        .map(|h| {
            h.join().map_err(|payload| {
                if let Some(s) = payload.downcast_ref::<&str>() {
                    s.to_string()
                } else if let Some(s) = payload.downcast_ref::<String>() {
                    s.clone()
                } else {
                    "unknown".to_string()
                }
            })
        })
        .collect()
}
