// Wrong: one panic takes the caller down.
// Refused by: a_panic_is_its_jobs_result
// Told: took the caller down
use std::thread;

pub type Job = Box<dyn FnOnce() -> u64 + Send>;
pub fn run_all(jobs: Vec<Job>) -> Vec<Result<u64, String>> {
    let handles: Vec<_> = jobs.into_iter().map(thread::spawn).collect();
    handles
        .into_iter()
        .map(|h| {
            Ok(h.join().unwrap())
        })
        .collect()
}
