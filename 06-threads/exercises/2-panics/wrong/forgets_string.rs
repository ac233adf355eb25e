// Wrong: it knows only messages that are a &str.
// Refused by: every_kind_of_message_is_told
// Told: is a String
use std::thread;

pub type Job = Box<dyn FnOnce() -> u64 + Send>;
pub fn run_all(jobs: Vec<Job>) -> Vec<Result<u64, String>> {
    let handles: Vec<_> = jobs.into_iter().map(thread::spawn).collect();
    handles
        .into_iter()
        .map(|h| {
            h.join().map_err(|payload| {
                if let Some(s) = payload.downcast_ref::<&str>() {
                    s.to_string()
                } else {
                    "unknown".to_string()
                }
            })
        })
        .collect()
}
