// Right: each thread catches its own panic.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread;

pub type Job = Box<dyn FnOnce() -> u64 + Send>;

pub fn run_all(jobs: Vec<Job>) -> Vec<Result<u64, String>> {
    let (tx, rx) = channel();
    let count = jobs.len();
    for (at, job) in jobs.into_iter().enumerate() {
        let tx = tx.clone();
        thread::spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(job)).map_err(|payload| {
                match payload.downcast::<String>() {
                    Ok(text) => *text,
                    Err(other) => {
                        other.downcast_ref::<&str>().map_or("unknown", |text| text).to_owned()
                    }
                }
            });
            let _ = tx.send((at, result));
        });
    }
    let mut results: Vec<_> = rx.into_iter().take(count).collect();
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}
