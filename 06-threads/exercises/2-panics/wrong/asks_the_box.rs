// Wrong: it asks the Box what type it is, and not the value in it.
// Refused by: a_panic_is_its_jobs_result
// Told: not the Box around it
use std::thread;

pub type Job = Box<dyn FnOnce() -> u64 + Send>;
pub fn run_all(jobs: Vec<Job>) -> Vec<Result<u64, String>> {
    let handles: Vec<_> = jobs.into_iter().map(thread::spawn).collect();
    handles
        .into_iter()
        .map(|h| {
            h.join().map_err(|boxed| {
                let payload: &dyn std::any::Any = &boxed;
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
