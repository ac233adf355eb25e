use std::thread;

use lock::{Condvar, Mutex};

use super::Outcome;

pub(crate) fn run() -> Outcome {
    let (waiting, woken, called) = (&Mutex::new(0), &Mutex::new(Vec::new()), &Condvar::new());
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for (place, name) in ["anna", "bert", "carl", "dora"].into_iter().enumerate() {
            threads.push(scope.spawn(move || {
                let mut waiting = waiting.lock();
                *waiting += 1;
                called.wait(&mut waiting);
                woken.lock().push(name);
            }));
            // The next one comes when this one waits: it opens the mutex by falling asleep.
            while *waiting.lock() <= place {
                thread::yield_now();
            }
        }
        println!("Four threads wait: anna, bert, carl and dora, in this order.");
        let mut threads = threads.into_iter();
        for n in [2, 1, 5] {
            let count = called.notify(n);
            threads.by_ref().take(count).for_each(|thread| drop(thread.join()));
            let mut names = std::mem::take(&mut *woken.lock());
            names.sort_unstable();
            println!("notify({n}) wakes {count}: {}", names.join(" and "));
        }
    });
    println!("Nobody waits any more: notify(1) wakes {}.", called.notify(1));
    Ok(())
}
