//! What is left of the promises when workers, and servers, are killed at random moments.

use std::collections::HashMap;
use std::time::Duration;

use distributed::{Cursor, Heartbeat, Outcome, QueueError, TaskQueue, Value, work};
use judge::Judge;

use crate::support::{Dice, times};

const ABSENCE: Duration = Duration::from_secs(10);

/// What a worker does. With SAYS in its environment it says what it has begun.
pub(crate) fn square(
    mut queue: impl TaskQueue,
    beats: impl TaskQueue + 'static,
) -> Result<(), QueueError> {
    let (heartbeat, says) = (Heartbeat::start(beats, ABSENCE)?, std::env::var_os("SAYS").is_some());
    work(&mut queue, &heartbeat, 10, None, |lease| match lease.body {
        Value::Int(number) => {
            if says {
                println!("{}", lease.id);
            }
            Ok(Value::Int(number * number))
        }
        _ => Err("no number".into()),
    })?;
    Ok(())
}

/// 4,000 tasks, or STRESS times as many: the same seed, the same faults, whatever the scheduler makes of them.
/// `worker` is a program that does [`square`]; the queue's leases are short, and its attempts many. `fault` is what
/// happens besides, now and then.
pub(crate) fn four_workers(
    master: &mut impl TaskQueue,
    worker: impl Fn() -> Judge,
    mut fault: impl FnMut(&mut Dice),
) {
    let start = || worker().deadline(Duration::from_secs(3600)).start();
    let mut crew: Vec<_> = (0..4).map(|_| start()).collect();
    let (mut dice, mut cursor) = (Dice(4000), Cursor::default());
    let mut seen: HashMap<String, Value> = HashMap::new();
    let all = 4000 * i64::from(times());
    let count = |number: i64| usize::try_from(number).expect("not negative");
    let (mut put_so_far, mut killed) = (0, 0);
    while seen.len() < count(all) {
        if put_so_far < all {
            let numbers = put_so_far..put_so_far + 100;
            let tasks: Vec<_> = numbers.map(|n| (format!("task {n}"), Value::Int(n))).collect();
            master.put(&tasks).expect("there is room");
            put_so_far += 100;
            let one = dice.below(4);
            match dice.below(3) {
                0 => {
                    crew[one].signal(9);
                    crew[one] = start();
                    killed += 1;
                }
                1 => crew[one].signal(19),
                _ => crew.iter_mut().for_each(|one| one.signal(18)),
            }
            if dice.below(8) == 0 {
                fault(&mut dice);
            }
        } else {
            crew.iter_mut().for_each(|one| one.signal(18));
        }
        // Up to what four workers may have in hand.
        let slack = if put_so_far < all { 80 } else { 0 };
        while seen.len() + slack < count(put_so_far) {
            let results = master.results(&cursor, 1000, ABSENCE).expect("it answers");
            let stats = master.stats();
            assert!(!results.is_empty(), "{} of {put_so_far} and no more: {stats:?}", seen.len());
            for done in results {
                let Outcome::Value(value) = done.outcome else { panic!("{done:?}") };
                let twice = seen.insert(done.id.clone(), value);
                assert_eq!(twice, None, "{} has two results", done.id);
                cursor = done.cursor;
            }
        }
    }
    for number in 0..all {
        assert_eq!(seen.get(&format!("task {number}")), Some(&Value::Int(number * number)));
    }
    assert!(master.results(&cursor, 1, Duration::ZERO).expect("it answers").is_empty());
    println!("{} results, {killed} workers killed", seen.len());
    assert!(killed > 5);
}
