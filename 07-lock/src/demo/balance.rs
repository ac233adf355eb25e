use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::thread;

use lock::{Barrier, Mutex};

use super::Outcome;

const TIMES: u32 = 100_000;

pub(crate) fn run() -> Outcome {
    println!("without a lock: {}", without_a_lock());
    println!("with a lock: {}", with_a_lock());
    Ok(())
}

/// What `balance = balance + n` is in Python, and to the machine: a read, and later a write. Each
/// of the two is whole, so this is no data race and no undefined behaviour; what is between them is
/// the bug.
fn without_a_lock() -> i64 {
    let balance = AtomicI64::new(0);
    two_threads(|n, pause| {
        for n in [n, -n] {
            let read = balance.load(Relaxed);
            pause();
            balance.store(read + n, Relaxed);
            pause();
        }
    });
    balance.into_inner()
}

fn with_a_lock() -> i64 {
    let balance = Mutex::new(0);
    two_threads(|n, pause| {
        let mut balance = balance.lock();
        for n in [n, -n] {
            let read = *balance;
            pause();
            *balance = read + n;
            pause();
        }
    });
    balance.into_inner()
}

/// Calls `change` with +5 in one thread and +8 in another one, over and over.
fn two_threads(change: impl Fn(i64, &mut dyn FnMut()) + Sync) {
    let (change, start) = (&change, &Barrier::new(2));
    thread::scope(|scope| {
        for n in [5_i64, 8] {
            scope.spawn(move || {
                // Otherwise the first one may be done before the second one exists.
                let _ = start.wait();
                // By itself the scheduler would change to the other thread here only now and then.
                // To see it in every run, on one core as well, it is asked to, after a number of
                // steps that differs from time to time: in step, the two might lose nothing.
                let mut dice = n.unsigned_abs();
                let mut pause = || {
                    dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    if dice >> 57 == 0 {
                        thread::yield_now();
                    }
                };
                (0..TIMES).for_each(|_| change(n, &mut pause));
            });
        }
    });
}
