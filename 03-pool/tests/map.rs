//! Promises about maps: order, inputs, laziness, and the first error.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use common::{Gate, double, pass};
use judge::{Judge, check, scenario};
use pool::{Error, Pool};

fn add(a: u64, b: u64) -> u64 {
    a + b
}

scenario!(
    fn maps_in_order() {
        let pool = Pool::new(3).expect("a pool");
        let expected: Vec<u64> = (0..1000).map(double).collect();
        let map = [1, 2, 7, 333, 1000, 5000]
            .map(|size| pool.chunk_size(size).map(double, 0..1000).expect("results"));
        check("map", map.iter().all(|values| *values == expected), "map at any chunk size");
        let imap = [1, 2, 7, 333, 1000, 5000].map(|size| {
            pool.chunk_size(size)
                .imap(double, 0..1000)
                .map(|result| result.expect("a result"))
                .collect()
        });
        check("imap", imap.iter().all(|values: &Vec<_>| *values == expected), "imap, too");
        check("default", pool.map(double, 0..1000).is_ok_and(|it| it == expected), "by default");
        // An iterator that can't say how long it is, and borrowed inputs.
        let filtered = pool.map(double, (0..2000).filter(|number| *number < 1000));
        check("unknown", filtered.is_ok_and(|it| it == expected), "of unknown length");
        let inputs: Vec<u64> = (0..1000).collect();
        check("borrowed", pool.map(double, &inputs).is_ok_and(|it| it == expected), "borrowed");
        let sums = pool.starmap(add, (0..1000).map(|number| (number, number)));
        check("starmap", sums.is_ok_and(|it| it == expected), "several arguments");
        let later = pool.map_async(double, 0..1000).get();
        check("async", later.is_ok_and(|it| it == expected), "without waiting");
        // One chunk much larger than the rest, so that the last is done first.
        let names: Vec<String> =
            (0..50).map(|n| "x".repeat(if n == 0 { 1 << 20 } else { n })).collect();
        let lengths = pool.chunk_size(1).map(length, &names).expect("lengths");
        check("sizes", names.iter().map(String::len).eq(lengths), "of any size");
        pool.close().join();
    }
);

fn length(text: String) -> usize {
    text.len()
}

#[test]
fn map_keeps_the_order_at_any_chunk_size() {
    let checks = ["map", "imap", "default", "unknown", "borrowed", "starmap", "async", "sizes"];
    Judge::scenario(&maps_in_order).declare(checks).run().assert_clean();
}

scenario!(
    fn maps_nothing() {
        let pool = Pool::new(2).expect("a pool");
        let none: [u64; 0] = [];
        check("map", pool.map(double, none).is_ok_and(|it| it.is_empty()), "map");
        check(
            "chunk",
            pool.chunk_size(9).map(double, none).is_ok_and(|it| it.is_empty()),
            "chunks",
        );
        check("starmap", pool.starmap(add, []).is_ok_and(|it| it.is_empty()), "starmap");
        let later = pool.map_async(double, none);
        check("ready", later.ready() && later.get().is_ok_and(|it| it.is_empty()), "map_async");
        check("imap", pool.imap(double, none).next().is_none(), "imap");
        check("unordered", pool.imap_unordered(double, none).next().is_none(), "imap_unordered");
        let zero = pool.chunk_size(0);
        let refused = matches!(zero.map(double, [1]), Err(Error::EmptyChunks));
        check("zero", refused, "a chunk size of zero is an error");
        let refused = matches!(zero.map_async(double, [1]).get(), Err(Error::EmptyChunks));
        check("zero later", refused, "in map_async, too");
        let mut refused = zero.imap(double, [1]);
        let first = matches!(refused.next(), Some(Err(Error::EmptyChunks)));
        check("zero each", first && refused.next().is_none(), "in imap, too");
        pool.close().join();
    }
);

#[test]
fn no_input_gives_no_results_in_all_methods() {
    let checks = [
        "map",
        "chunk",
        "starmap",
        "ready",
        "imap",
        "unordered",
        "zero",
        "zero later",
        "zero each",
    ];
    Judge::scenario(&maps_nothing).declare(checks).run().assert_clean();
}

scenario!(
    fn has_an_input_that_panics() {
        let pool = Pool::new(2).expect("a pool");
        let inputs = || (0..10).inspect(|number| assert!(*number < 5, "no more input"));
        for ordered in [true, false] {
            let mut seen = Vec::new();
            let results = if ordered {
                pool.imap(double, inputs())
            } else {
                pool.imap_unordered(double, inputs())
            };
            let ended = catch_unwind(AssertUnwindSafe(|| {
                for result in results {
                    seen.push(result.expect("a result"));
                }
            }));
            seen.sort_unstable();
            let right = ended.is_err() && seen == [0, 2, 4, 6, 8];
            check(if ordered { "imap" } else { "unordered" }, right, "what came before is given");
        }
        let ended = catch_unwind(AssertUnwindSafe(|| pool.map(double, inputs()).is_ok()));
        check("map", ended.is_err(), "of a map the panic is the caller's");
        check("usable", pool.apply(double, (4,)).is_ok_and(|it| it == 8), "the pool is usable");
        pool.close().join();
    }
);

#[test]
fn an_input_that_panics_comes_after_the_results_before_it() {
    let checks = ["imap", "unordered", "map", "usable"];
    Judge::scenario(&has_an_input_that_panics).declare(checks).run().assert_clean();
}

scenario!(
    fn maps_endless_input() {
        let pool = Pool::new(2).expect("a pool");
        let pulled = AtomicUsize::new(0);
        let endless = || (0_u64..).inspect(|_| _ = pulled.fetch_add(1, SeqCst));
        let taken: Vec<u64> = pool.imap(double, endless()).take(5).flatten().collect();
        check("imap", taken == [0, 2, 4, 6, 8], "endless input is no trouble");
        let ahead = pulled.swap(0, SeqCst);
        check("ahead", (5..=5 + 2 * 16).contains(&ahead), &format!("{ahead} were asked for"));
        let mut lazy = pool.imap_unordered(double, endless());
        check("lazy", pulled.load(SeqCst) == 0, "and none before a result is");
        check("first", lazy.next().is_some(), "then they are");
        let mut all: Vec<u64> = pool.imap_unordered(double, 0..500).flatten().collect();
        all.sort_unstable();
        check("once", all.into_iter().eq((0..500).map(double)), "each value once");
        let gate = Gate::new();
        let pool = Pool::new(2).expect("a pool");
        // The first one waits until the second one was seen.
        let mut results = pool.imap_unordered(pass_if_even, [0, 1]);
        check("second", results.next().is_some_and(|it| it.is_ok_and(|it| it == 1)), "as it comes");
        gate.open(1);
        check("then", results.next().is_some_and(|it| it.is_ok_and(|it| it == 0)), "and the other");
        pool.close().join();
    }
);

fn pass_if_even(number: u64) -> u64 {
    if number.is_multiple_of(2) { pass(number) } else { number }
}

#[test]
fn imap_pulls_lazily_and_imap_unordered_yields_each_value_once() {
    let checks = ["imap", "ahead", "lazy", "first", "once", "second", "then"];
    Judge::scenario(&maps_endless_input).declare(checks).run().assert_clean();
}

scenario!(
    fn fails_in_a_map() {
        use std::sync::atomic::Ordering::Relaxed;
        let words = process::SharedWords::new(100).expect("memory");
        *COUNTS.write().unwrap() = Some(words);
        let pool = Pool::new(2).expect("a pool");
        for size in [1, 7, 100] {
            let result = pool.chunk_size(size).map(fail_in_the_middle, 0..100);
            let first = match result {
                Err(Error::Panicked { message, .. }) => message,
                other => format!("{other:?}"),
            };
            check("first", first == "no 30", &format!("the first error is reported: {first}"));
        }
        pool.close().join();
        let counts = COUNTS.write().unwrap().take().expect("set above");
        let all = counts.iter().all(|count| count.load(Relaxed) == 3);
        check("all", all, "and all tasks were run");
    }
);

static COUNTS: std::sync::RwLock<Option<process::SharedWords>> = std::sync::RwLock::new(None);

fn fail_in_the_middle(number: u64) {
    let counts = COUNTS.read().unwrap();
    counts.as_ref().expect("set before the fork")[number as usize].fetch_add(1, SeqCst);
    assert!(number != 30 && number != 31 && number != 90, "no {number}");
}

#[test]
fn a_map_whose_tasks_fail_waits_for_all_and_reports_the_first_error() {
    Judge::scenario(&fails_in_a_map).declare(["first", "all"]).run().assert_clean();
}

scenario!(
    fn maps_again_and_again() {
        let pool = Pool::new(2).expect("a pool");
        // Chunks of all sizes, with answers in both rings, in turns.
        for round in 0..60_u64 {
            let count = 1 + round * 997 % 20_000;
            let results = pool.chunk_size(1 + (round * 3701 % 9000) as usize).map(double, 0..count);
            let same = results.is_ok_and(|it| it.into_iter().eq((0..count).map(double)));
            check("same", same, &format!("round {round}, {count} numbers"));
        }
        pool.close().join();
    }
);

#[test]
fn a_map_after_another_gets_its_own_results() {
    Judge::scenario(&maps_again_and_again).declare(["same"]).run().assert_clean();
}
