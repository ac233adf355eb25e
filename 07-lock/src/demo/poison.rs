use std::thread;
use std::time::Duration;

use lock::{Event, Lock, LockError};

use super::Outcome;

pub(crate) fn run() -> Outcome {
    let (accounts, held, done) = (&Lock::new([100, 100]), &Event::new(), &Event::new());
    thread::scope(|scope| {
        let clerk = scope.spawn(move || {
            let mut accounts = accounts.lock().unwrap_or_else(|poisoned| poisoned.into_guard());
            accounts[0] -= 10;
            held.set();
            done.wait();
            panic!("the clerk fainted in the middle of a transfer");
        });
        held.wait();
        let tried = accounts.lock_timeout(Duration::from_millis(20));
        println!("While the clerk works, with 20 ms of patience: {}", told(tried.map(drop)));
        done.set();
        let _ = clerk.join();
    });
    match accounts.lock() {
        Ok(_) => println!("Nobody was told."),
        Err(poisoned) => {
            println!("Afterwards: {poisoned}.");
            let mut accounts = poisoned.into_guard();
            println!("It guards {accounts:?}: 10 are missing, and I put them right.");
            accounts[1] += 10;
        }
    }
    accounts.clear_poison();
    println!("Then: {}", told(accounts.try_lock().map(drop)));
    Ok(())
}

fn told<G>(tried: Result<(), LockError<G>>) -> String {
    tried.map_or_else(|error| error.to_string(), |()| "the lock, as if nothing had happened".into())
}
