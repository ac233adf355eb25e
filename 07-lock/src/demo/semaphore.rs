use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

use lock::Semaphore;

use super::Outcome;

pub(crate) fn run() -> Outcome {
    let slots = Semaphore::bounded(2);
    let (inside, most, done) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let _permit = slots.acquire();
                    most.fetch_max(inside.fetch_add(1, Relaxed) + 1, Relaxed);
                    thread::yield_now();
                    inside.fetch_sub(1, Relaxed);
                    done.fetch_add(1, Relaxed);
                }
            });
        }
    });
    println!("8 threads with {} tasks share 2 slots.", done.into_inner());
    println!("The most that were busy at a time: {}", most.into_inner());
    match slots.release(1) {
        Ok(()) => println!("One slot too many was taken."),
        Err(error) => println!("One release too many: {error}"),
    }
    Ok(())
}
