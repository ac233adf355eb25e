use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use super::Outcome;

pub(crate) fn run() -> Outcome {
    let numbers: Vec<u64> = (1..=1000).collect();
    let mut halves = [0, 0];
    let looked_at = AtomicU64::new(0);

    // All three are this function's, and lent: the scope ends when both threads have.
    let (low, high) = numbers.split_at(500);
    thread::scope(|scope| {
        for (part, sum) in [low, high].into_iter().zip(&mut halves) {
            let looked_at = &looked_at;
            scope.spawn(move || {
                *sum = part.iter().sum();
                looked_at.fetch_add(part.len() as u64, Relaxed);
            });
        }
    });

    say!("One thread summed up the lower half, one the upper: {} and {}.", halves[0], halves[1])?;
    say!(
        "They looked at {} numbers, which were lent to them and are here again: 1 to {}.",
        looked_at.load(Relaxed),
        numbers.len()
    )?;
    Ok(())
}
