use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use lock::{Lock, Mutex, Ordered, both};

use super::Outcome;

pub(crate) fn run() -> Outcome {
    shown();
    found();
    avoided();
    Ok(())
}

/// Two threads that each hold what the other one wants. They come to an end because they have a
/// timeout.
fn shown() {
    println!("Shown. Two threads, two locks, opposite orders; each waits 100 ms at most:");
    let (books, till, both_hold) = (&Lock::new(()), &Lock::new(()), &Barrier::new(2));
    thread::scope(|scope| {
        for (name, [first, second]) in [("anna", [books, till]), ("bert", [till, books])] {
            scope.spawn(move || {
                let _first = first.lock();
                both_hold.wait();
                let stuck = second.lock_timeout(Duration::from_millis(100)).is_err();
                // Nobody lets go before both have given up.
                both_hold.wait();
                println!("    {name} has one lock; the other one: {}", said(stuck));
            });
        }
    });
}

fn said(stuck: bool) -> &'static str {
    if stuck { "not to be had" } else { "taken" }
}

/// The same orders, one after the other in one thread: nobody can be stuck here, and yet it is
/// found.
fn found() {
    println!("Found, without anybody being stuck, by locks that watch the order:");
    let (books, till) = (Ordered::new("books", ()), Ordered::new("till", ()));
    let result = (|| {
        {
            let _books = books.lock()?;
            let _till = till.lock()?;
        }
        let _till = till.lock()?;
        let _books = books.lock()?;
        Ok::<(), lock::Deadlock>(())
    })();
    if let Err(deadlock) = result {
        println!("    {deadlock}.");
    }
}

fn avoided() {
    let accounts = [Mutex::new(1000), Mutex::new(1000)];
    thread::scope(|scope| {
        for (from, to) in [(0, 1), (1, 0)] {
            let accounts = &accounts;
            scope.spawn(move || {
                for _ in 0..1000 {
                    let (mut from, mut to) = both(&accounts[from], &accounts[to]);
                    *from -= 1;
                    *to += 1;
                }
            });
        }
    });
    let [one, other] = accounts.map(Mutex::into_inner);
    println!(
        "Avoided, by one order for everybody: 2000 transfers there and back, {one} and {other}."
    );
}
