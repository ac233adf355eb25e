// Wrong: the panicked jobs are left out.
// Refused by: a_panic_is_its_jobs_result
// Told: vanished from the results
use std::thread;

pub type Job = Box<dyn FnOnce() -> u64 + Send>;
pub fn run_all(jobs: Vec<Job>) -> Vec<Result<u64, String>> {
    let handles: Vec<_> = jobs.into_iter().map(thread::spawn).collect();
    handles
        .into_iter()
        .filter_map(|h| h.join().ok().map(Ok))
        .collect()
}
