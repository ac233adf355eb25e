use std::hash::{BuildHasher, RandomState};
use std::io::{Write, stdout};
use std::process::id;
use std::time::{Duration, Instant};

use pool::Pool;

use super::Outcome;

pub(crate) fn run() -> Outcome {
    let mut out = stdout();
    writeln!(out, "Parent process {}.", id())?;
    let pool = Pool::new(4)?;
    // Before the tasks, for they begin at once. Python's tutorial prints it after them, and it comes
    // first only because the workers need longer to wake up.
    writeln!(out, "Waiting for all subprocesses done...")?;
    for number in 0..5 {
        pool.apply_async(long_time_task, (number,));
    }
    pool.close().join();
    writeln!(out, "All subprocesses done.")?;
    Ok(())
}

fn long_time_task(number: u32) {
    // A line at a time, and a closed stdout is the parent's affair.
    let _ = writeln!(stdout(), "Run task {number} ({})...", id());
    let start = Instant::now();
    #[expect(clippy::disallowed_methods, reason = "the task does nothing but take a while")]
    std::thread::sleep(Duration::from_millis(50 + random() % 450));
    let took = start.elapsed().as_secs_f64();
    let _ = writeln!(stdout(), "Task {number} runs {took:.2} seconds.");
}

/// The standard library draws the keys of its hash maps; two forked processes would draw the same,
/// if the process were not a part of it.
fn random() -> u64 {
    RandomState::new().hash_one((id(), Instant::now()))
}
