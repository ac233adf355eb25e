//! Killed in the middle of a copy, for certain: messages so large that the copy is most of the work.

use std::env;
use std::time::{Duration, Instant};

use fork::Signal::SIGKILL;
use ipc::{Event, Queue, RecvError, fork_with};
use judge::{Judge, check, scenario};

const LARGE: usize = 16 << 20;

fn enough() -> u32 {
    env::var("COURSE_STRESS_SECONDS").ok().and_then(|it| it.parse().ok()).unwrap_or(1) * 3
}

/// Kills a child at another moment each time, until so many have died while they held a lock.
fn kill_until(
    enough: u32,
    crashes: impl Fn() -> u32,
    start: impl Fn(Event) -> fork::Child,
    mut after: impl FnMut(),
) -> u32 {
    let mut killed = 0;
    while crashes() < enough && killed < enough * 100 {
        let begins = Event::new().expect("an event");
        let child = start(begins.clone());
        begins.wait();
        let moment = Instant::now() + Duration::from_micros(u64::from(killed * 397 % 6000));
        while Instant::now() < moment {
            std::hint::spin_loop();
        }
        child.signal(SIGKILL).expect("ours");
        child.wait().expect("its status");
        killed += 1;
        after();
    }
    killed
}

scenario!(
    fn kills_in_the_middle_of_a_put() {
        let queue = Queue::<()>::with_room(100, 64 << 20).expect("a queue");
        let (large, mut got) = (vec![7; LARGE], Vec::new());
        let (mut whole, mut next) = (true, 0_u32);
        let putting = |begins: Event| {
            fork::fork(|| {
                begins.set();
                while queue.put_bytes(&large).is_ok() {}
                1
            })
            .expect("a child")
        };
        let killed = kill_until(
            enough(),
            || queue.ring().crashes(),
            putting,
            || {
                // The rest goes on: this puts, and gets its own after what the dead one left.
                while queue.put_bytes_within(&next.to_ne_bytes(), Duration::ZERO).is_err() {
                    queue.get_bytes(&mut got).expect("a message");
                    whole &= got == large;
                }
                loop {
                    queue.get_bytes(&mut got).expect("a message");
                    if got == next.to_ne_bytes() {
                        break;
                    }
                    whole &= got == large;
                }
                next += 1;
            },
        );
        let crashes = queue.ring().crashes();
        println!("{killed} killed, {crashes} of them in the middle of a put");
        check("some", crashes > 0, "some were killed in the middle");
        check("whole", whole, "nobody saw what they had begun");
        check("empty", queue.ring().is_empty(), "and nothing else is left");
    }
);

#[test]
fn a_message_that_was_begun_by_a_killed_process_is_never_seen() {
    let judge = Judge::scenario(&kills_in_the_middle_of_a_put).declare(["some", "whole", "empty"]);
    let report = judge.deadline(Duration::from_secs(60 * u64::from(enough()))).run();
    println!("{}", report.stdout());
    report.assert_clean();
}

scenario!(
    fn kills_in_the_middle_of_a_get() {
        let (putter, getter) =
            Queue::<()>::with_room(100, 64 << 20).expect("a queue").split().expect("ends");
        let (large, mut got) = (vec![7; LARGE], Vec::new());
        let getting = |begins: Event| {
            fork_with((getter.clone(), begins), |(getter, begins)| {
                // Touched before, so that the copy takes the time, and not the memory.
                let mut mine = vec![0; LARGE];
                begins.set();
                i32::from(getter.get_bytes(&mut mine).is_err())
            })
            .expect("a child")
        };
        putter.put_bytes(&large).expect("room");
        let (mut put, mut here) = (1_u32, 0_u32);
        let killed = kill_until(
            enough(),
            || getter.ring().crashes(),
            getting,
            || {
                // It was got, or it is there, whole; and where that is known, the next one is put.
                match getter.get_bytes_within(&mut got, Duration::ZERO) {
                    Ok(()) => here += u32::from(got == large),
                    Err(RecvError::Empty) => {}
                    Err(error) => panic!("{error}"),
                }
                putter.put_bytes(&large).expect("room");
                put += 1;
            },
        );
        let crashes = getter.ring().crashes();
        println!("{killed} killed, {crashes} of them in the middle of a get, {here} messages kept");
        check("some", crashes > 0, "some were killed in the middle");
        check("kept", here >= crashes, "and each time the message was kept for the next one");
        check("one", getter.ring().len() == 1 && put == killed + 1, "nothing came twice");
    }
);

#[test]
fn a_message_that_a_killed_process_was_getting_is_got_by_the_next_one() {
    let judge = Judge::scenario(&kills_in_the_middle_of_a_get).declare(["some", "kept", "one"]);
    let report = judge.deadline(Duration::from_secs(60 * u64::from(enough()))).run();
    println!("{}", report.stdout());
    report.assert_clean();
}
