//! Promises about tasks: their results, their errors, their order.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Gate, double, pass, who};
use judge::{Judge, check, scenario};
use pool::{Error, Pool};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

scenario!(
    fn waits_with_a_timeout() {
        let gate = Gate::new();
        let pool = Pool::new(1).expect("a pool");
        let result = pool.apply_async(pass, (7,));
        let start = Instant::now();
        let early = result.get_timeout(Duration::from_millis(50));
        let waited = start.elapsed();
        check("none", matches!(early, Ok(None)), "no result, and no error");
        let on_time = (50..1000).contains(&waited.as_millis());
        check("time", on_time, &format!("it waited {waited:?}"));
        check("unready", !result.ready() && result.successful().is_none(), "it is not ready");
        gate.open(1);
        check("later", result.get().is_ok_and(|value| value == 7), "it comes when it is there");
        let again = result.get_timeout(Duration::ZERO);
        check("again", again.is_ok_and(|value| value == Some(7)), "and can be had again");
        check("ready", result.ready() && result.successful() == Some(true), "it is ready");
        pool.close().join();
    }
);

#[test]
fn get_with_a_timeout_returns_on_time_and_the_result_still_arrives_later() {
    let checks = ["none", "time", "unready", "later", "again", "ready"];
    Judge::scenario(&waits_with_a_timeout).declare(checks).run().assert_clean();
}

/// A value that some can't write and some can't read.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Awkward {
    Fine,
    NotWritten,
    NotRead,
    PanicsWhenWritten,
}

impl Serialize for Awkward {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Awkward::NotWritten => Err(serde::ser::Error::custom("not to be written")),
            Awkward::PanicsWhenWritten => panic!("in the middle of writing"),
            Awkward::Fine => to.serialize_u8(0),
            Awkward::NotRead => to.serialize_u8(1),
        }
    }
}

impl<'de> Deserialize<'de> for Awkward {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Awkward, D::Error> {
        match u8::deserialize(from)? {
            0 => Ok(Awkward::Fine),
            _ => Err(serde::de::Error::custom("not to be read")),
        }
    }
}

fn make(kind: u8) -> Awkward {
    [Awkward::Fine, Awkward::NotWritten, Awkward::NotRead, Awkward::PanicsWhenWritten]
        [usize::from(kind)]
}

fn take(_: Awkward) -> i32 {
    who()
}

scenario!(
    fn transfers_what_cant_be() {
        let pool = Pool::new(1).expect("a pool");
        let worker = pool.apply(who, ()).expect("a worker");
        let (mut arguments, mut results) = (0, 0);
        for _ in 0..20 {
            for awkward in [Awkward::NotWritten, Awkward::NotRead] {
                let failed = matches!(pool.apply(take, (awkward,)), Err(Error::Arguments { .. }));
                arguments += u32::from(failed);
            }
            for kind in [1, 2] {
                results +=
                    u32::from(matches!(pool.apply(make, (kind,)), Err(Error::Result { .. })));
            }
            results += u32::from(matches!(pool.apply(make, (3,)), Err(Error::Panicked { .. })));
        }
        check("arguments", arguments == 40, "an argument that can't cross is that task's error");
        check("results", results == 60, "and so is a result");
        let mixed = pool.chunk_size(3).imap(make, [0, 1, 0, 2, 0, 3, 0]);
        let fine: Vec<bool> = mixed.map(|result| result.is_ok()).collect();
        // After what can't be read, nobody knows where the rest of its chunk begins.
        check("chunk", fine == [true, false, true, false, false, false, true], "its own alone");
        let inputs = [Awkward::Fine, Awkward::NotWritten, Awkward::Fine];
        let fine: Vec<bool> =
            pool.chunk_size(3).imap(take, inputs).map(|result| result.is_ok()).collect();
        check("inputs", fine == [true, false, true], "among inputs, too");
        let same = pool.apply(who, ()).is_ok_and(|now| now == worker);
        check("worker", same, "no worker was lost by it");
        pool.close().join();
    }
);

#[test]
fn what_cant_be_serialised_is_that_tasks_error_and_costs_no_worker() {
    let checks = ["arguments", "results", "chunk", "inputs", "worker"];
    Judge::scenario(&transfers_what_cant_be).declare(checks).run().assert_clean();
}

fn fail_at_multiples_of_three(number: u64) -> u64 {
    assert!(!number.is_multiple_of(3), "{number} is one");
    number
}

scenario!(
    fn calls_back() {
        let pool = Pool::new(2).expect("a pool");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let results: Vec<_> = (0..300)
            .map(|number| {
                let seen = seen.clone();
                pool.apply_async_with(fail_at_multiples_of_three, (number,), move |result| {
                    seen.lock().unwrap().push((number, result.is_ok()));
                    assert!(number % 50 != 0, "in a callback, which harms nothing");
                })
            })
            .collect();
        let fine = results.iter().filter(|result| result.get().is_ok()).count();
        pool.close().join();
        check("results", fine == 200, "the results are there, too");
        let mut seen = seen.lock().unwrap().clone();
        seen.sort_unstable();
        let expected = (0..300).map(|number| (number, number % 3 != 0));
        check("once", seen.into_iter().eq(expected), "each was called once, with what came of it");

        // Nobody waits, and still it is called; it may use the pool itself.
        let pool = Arc::new(Pool::new(1).expect("a pool"));
        let (tell, told) = std::sync::mpsc::channel();
        let again = pool.clone();
        pool.apply_async_with(double, (4,), move |result| {
            let _ = tell.send(again.apply(double, (result.expect("8"),)));
        });
        let nested = told.recv_timeout(Duration::from_secs(10));
        check("alone", matches!(nested, Ok(Ok(16))), "without a caller who waits");
        drop(pool);

        // A caller waits for something else, and leaves.
        let gate = Gate::new();
        let (tell, told) = std::sync::mpsc::channel();
        let pool = Pool::new(2).expect("a pool");
        pool.apply_async_with(pass, (5,), move |result| _ = tell.send(result));
        let passing = pool.apply_async(pass, (6,));
        let waited = passing.get_timeout(Duration::from_millis(100));
        check("waited", matches!(waited, Ok(None)), "for what does not come");
        gate.open(2);
        let left = told.recv_timeout(Duration::from_secs(10));
        check("left", matches!(left, Ok(Ok(5))), "also after a caller has left");
        drop((gate, pool));

        let (tell, told) = std::sync::mpsc::channel();
        let pool = Pool::new(1).expect("a pool");
        pool.apply_async_with(common::forever, (0,), move |result| _ = tell.send(result));
        pool.terminate();
        let last = told.recv_timeout(Duration::from_secs(10));
        check("terminated", matches!(last, Ok(Err(Error::Terminated))), "at the end of the pool");
    }
);

#[test]
fn a_callback_is_called_exactly_once_and_its_panic_harms_nothing() {
    let checks = ["results", "once", "alone", "waited", "left", "terminated"];
    let report = Judge::scenario(&calls_back).declare(checks).run();
    report.assert_clean();
    assert_eq!(report.stderr().matches("in a callback, which harms nothing").count(), 6);
}

fn fails(kind: u8) {
    match kind {
        0 => panic!("a literal"),
        1 => panic!("made of {}", 2),
        _ => std::panic::panic_any(7),
    }
}

scenario!(
    fn panics() {
        let pool = Pool::new(1).expect("a pool");
        let worker = pool.apply(who, ()).expect("a worker");
        let errors = [0, 1, 2].map(|kind| pool.apply(fails, (kind,)).expect_err("a panic"));
        for error in &errors {
            println!("{error}");
        }
        let told = |error: &Error, text: &str| {
            matches!(error, Error::Panicked { pid, message, place } if *pid == worker
                && message == text && place.starts_with("03-pool/tests/tasks.rs:"))
        };
        check("literal", told(&errors[0], "a literal"), "message and place");
        check("made", told(&errors[1], "made of 2"), "of a message that was made, too");
        check("other", told(&errors[2], "a value that is no text"), "and of what is none");
        check("same", pool.apply(who, ()).is_ok_and(|it| it == worker), "the worker goes on");
        pool.close().join();
    }
);

#[test]
fn a_tasks_panic_reaches_the_caller_with_message_and_place() {
    let checks = ["literal", "made", "other", "same"];
    let report = Judge::scenario(&panics).declare(checks).run();
    report.assert_clean();
    assert_eq!(report.stderr(), "", "the caller is told, and nobody else");
}

fn echo(bytes: serde_bytes::ByteBuf) -> serde_bytes::ByteBuf {
    bytes
}

scenario!(
    fn echoes_all_sizes() {
        let pool = Pool::new(2).expect("a pool");
        // Around the sizes at which something changes: a word, a page, the rings and their wraps.
        let edges = [0, 1, 8, 4096, 16 << 10, 64 << 10];
        let sizes = edges.iter().flat_map(|&edge: &usize| {
            [edge.saturating_sub(9), edge.saturating_sub(1), edge, edge + 1, edge + 8]
        });
        let sizes = sizes.chain([(4 << 20) + 8]);
        let inputs: Vec<_> = sizes
            .enumerate()
            .map(|(index, size)| {
                let byte = |at: usize| (at * 7 + at / 251 + index) as u8;
                serde_bytes::ByteBuf::from((0..size).map(byte).collect::<Vec<u8>>())
            })
            .collect();
        let alone = inputs
            .iter()
            .all(|input| pool.apply(echo, (input.clone(),)).is_ok_and(|output| output == *input));
        check("alone", alone, "one by one");
        for round in 0..2 {
            let all = pool.chunk_size(1).map(echo, &inputs);
            check("many", all.is_ok_and(|outputs| outputs == inputs), &format!("round {round}"));
            let small: Vec<_> = inputs.iter().filter(|input| input.len() < 100_000).collect();
            let all = pool.chunk_size(3).map(echo, small.iter().map(|input| (**input).clone()));
            let same = all.is_ok_and(|outputs| outputs.iter().eq(small));
            check("chunks", same, &format!("in chunks, round {round}"));
        }
        pool.close().join();
    }
);

#[test]
fn arguments_and_results_of_any_size_cross_whole() {
    let checks = ["alone", "many", "chunks"];
    Judge::scenario(&echoes_all_sizes).declare(checks).run().assert_clean();
}

/// Bytes of this process in RAM that are its own.
fn resident() -> u64 {
    fork::Memory::of(std::process::id().cast_signed()).expect("it runs").private_dirty
}

scenario!(
    fn moves_many_mebibytes() {
        let pool = Pool::new(2).expect("a pool");
        let data = serde_bytes::ByteBuf::from(vec![1; 1 << 20]);
        let mut results = Vec::new();
        let turn = |results: &mut Vec<_>| {
            for _ in 0..16 {
                results.push(pool.apply_async(echo, (data.clone(),)));
            }
            let fine =
                results.drain(..).filter(|it: &pool::AsyncResult<_>| it.get().is_ok()).count();
            assert_eq!(fine, 16);
        };
        turn(&mut results);
        let before = (resident(), pool.apply(resident, ()).expect("a worker"));
        for _ in 0..4 {
            turn(&mut results);
        }
        let after = (resident(), pool.apply(resident, ()).expect("a worker"));
        println!("{before:?} {after:?}");
        check("here", after.0 < before.0 + (40 << 20), "arguments and results are freed here");
        check("there", after.1 < before.1 + (8 << 20), "and in the workers");
        pool.close().join();
    }
);

#[test]
fn arguments_and_results_are_freed_when_the_task_is_done() {
    Judge::scenario(&moves_many_mebibytes).declare(["here", "there"]).run().assert_clean();
}

scenario!(
    fn many_threads_share_it() {
        let pool = Pool::new(2).expect("a pool");
        let right = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for thread in 0..16 {
                let (pool, right) = (&pool, &right);
                scope.spawn(move || {
                    for number in 0..50 {
                        let number = 1000 * thread + number;
                        let one = pool.apply(double, (number,)).is_ok_and(|it| it == 2 * number);
                        let later = pool.apply_async(double, (number,));
                        let all = pool.map(double, [number, number + 1]);
                        let all = all.is_ok_and(|it| it == [2 * number, 2 * number + 2]);
                        let later = later.get().is_ok_and(|it| it == 2 * number);
                        right.fetch_add(usize::from(one && all && later), SeqCst);
                    }
                });
            }
        });
        check("all", right.load(SeqCst) == 16 * 50, "each thread gets its own results");
        pool.close().join();
    }
);

#[test]
fn threads_share_a_pool_and_each_gets_its_own_results() {
    Judge::scenario(&many_threads_share_it).declare(["all"]).run().assert_clean();
}
