use std::sync::{Barrier, Mutex};
use std::thread;

use super::Outcome;

static MUTEX: Mutex<()> = Mutex::new(());
static LOCK: fork::Lock = fork::Lock::new();

pub(crate) fn run() -> Outcome {
    let (held, forked) = (&Barrier::new(2), &Barrier::new(2));
    let child = thread::scope(|scope| {
        scope.spawn(|| {
            let _both = (MUTEX.lock(), LOCK.lock());
            held.wait();
            forked.wait();
        });
        held.wait();
        println!(
            "Another thread holds two locks, and I fork. That thread is not in the child, where"
        );
        let child = fork::fork(|| {
            println!("    std::sync::Mutex  is {}", state(MUTEX.try_lock().is_ok()));
            println!("    fork::Lock        is {}", state(LOCK.try_lock().is_some()));
            0
        });
        forked.wait();
        child
    })?;
    child.wait()?;
    Ok(())
}

fn state(open: bool) -> &'static str {
    if open { "open" } else { "shut, for ever: `lock` would never come back" }
}
