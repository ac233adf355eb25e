use std::thread;

use lock::{Condvar, Mutex};

use super::Outcome;

/// Whose step it is, one after the other: the schedule that loses an update.
const SCHEDULE: [i64; 8] = [5, 5, 8, 5, 5, 8, 8, 8];

struct Stage {
    steps: usize,
    balance: i64,
}

pub(crate) fn run() -> Outcome {
    println!("The balance is 0. Two threads each add their number and take it away again:");
    let (stage, next) = (Mutex::new(Stage { steps: 0, balance: 0 }), Condvar::new());
    // Runs one step of thread `n`, when the schedule has come to it.
    let step = |n: i64, step: &mut dyn FnMut(&mut i64)| {
        let mut stage = stage.lock();
        next.wait_for(&mut stage, |stage| SCHEDULE[stage.steps] == n);
        step(&mut stage.balance);
        stage.steps += 1;
        next.notify_all();
    };
    thread::scope(|scope| {
        for n in [5, 8] {
            let step = &step;
            scope.spawn(move || {
                let indent = if n == 5 { "    " } else { "                           " };
                for n_or_back in [n, -n] {
                    let mut read = 0;
                    step(n, &mut |balance| {
                        read = *balance;
                        println!("{indent}thread {n} reads {read}");
                    });
                    step(n, &mut |balance| {
                        *balance = read + n_or_back;
                        println!("{indent}thread {n} writes {balance}");
                    });
                }
            });
        }
    });
    let balance = stage.lock().balance;
    println!("The balance is {balance}: what thread 5 took away was overwritten.");
    Ok(())
}
