use std::fs;
use std::sync::mpsc;
use std::thread;

use lock::Event;

use super::Outcome;

pub(crate) fn run() -> Outcome {
    let start = &Event::new();
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let runners: Vec<_> = ["anna", "bert", "carl"]
            .into_iter()
            .map(|name| {
                let tell = tell.clone();
                scope.spawn(move || {
                    // SAFETY: it has no obligations.
                    let _ = tell.send(unsafe { libc::gettid() });
                    start.wait();
                    name
                })
            })
            .collect();
        told.iter().take(runners.len()).for_each(until_asleep);
        println!("Three runners sleep until the event.");
        start.set();
        start.clear();
        println!("It is set, and cleared at once. Is it set? {}", start.is_set());
        let ran: Vec<_> = runners.into_iter().filter_map(|runner| runner.join().ok()).collect();
        println!("All the same they ran: {}", ran.join(", "));
    });
    Ok(())
}

/// Looks until the kernel says that the thread sleeps. There is nothing else to wait for: it can't
/// tell us itself.
fn until_asleep(thread: i32) {
    let asleep = || {
        let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).ok()?;
        Some(stat.rsplit_once(") ")?.1.starts_with('S'))
    };
    while asleep() == Some(false) {
        thread::yield_now();
    }
}
