// What `par_map` must do. Who works at the same time is counted, and not timed.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use judge::exercise::{Case, require};

use super::answer::par_map;

pub(crate) const CASES: &[Case] = &[
    Case::of(&results_are_in_order),
    Case::of(&every_number_of_items_works),
    Case::of(&workers_threads_work_at_once).within(Duration::from_secs(4)),
    Case::of(&a_panic_is_not_swallowed),
];

/// Waits until it is so, or the time is over; says whether it is so.
fn until(longest: Duration, so: impl Fn() -> bool) -> bool {
    let end = Instant::now() + longest;
    while !so() && Instant::now() < end {
        judge::exercise::pause(Duration::from_millis(1));
    }
    so()
}

judge::case!(
    fn results_are_in_order() {
        let done = AtomicUsize::new(0);
        let got = par_map(&[0, 1, 2, 3], 4, |&item| {
            if item == 0 {
                until(Duration::from_millis(400), || done.load(SeqCst) == 3);
                judge::exercise::pause(Duration::from_millis(50));
            }
            done.fetch_add(1, SeqCst);
            item * 10
        });
        require(
            got == [0, 10, 20, 30],
            &format!(
                "the first item was the slowest, and the results are {got:?}: they come in the \
                 order in which they were done, and not in that of the items"
            ),
        );
    }
);

judge::case!(
    fn every_number_of_items_works() {
        for (count, workers) in [(0, 4), (1, 4), (7, 4), (10, 4), (5, 1)] {
            let items: Vec<usize> = (0..count).collect();
            let got = catch_unwind(|| par_map(&items, workers, |item| item + 1));
            require(
                got.is_ok(),
                &format!("with {count} items on {workers} threads it panics: is a size 0?"),
            );
            let got = got.unwrap_or_default();
            require(
                got.len() >= count,
                &format!(
                    "items are missing, {} of {count} came back: len / workers rounds down and the \
                     rest is nobody's; use div_ceil (and chunks, which keeps the shorter last one)",
                    got.len()
                ),
            );
            let all: Vec<usize> = (1..=count).collect();
            require(got == all, &format!("of the items {items:?} it made {got:?}"));
        }
    }
);

/// How many were inside at the same time, at most, if each stays until `enough` are there, or for a while.
fn most_at_once(items: usize, workers: usize, enough: usize, longest: Duration) -> usize {
    let (inside, most, over) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let items: Vec<usize> = (0..items).collect();
    par_map(&items, workers, |_| {
        let now = inside.fetch_add(1, SeqCst) + 1;
        most.fetch_max(now, SeqCst);
        // Once it took too long, nobody waits any more.
        if !until(longest, || over.load(SeqCst) || most.load(SeqCst) >= enough) {
            over.store(true, SeqCst);
        }
        inside.fetch_sub(1, SeqCst);
    });
    most.load(SeqCst)
}

judge::case!(
    fn workers_threads_work_at_once() {
        let most = most_at_once(4, 4, 4, Duration::from_secs(1));
        require(
            most != 1,
            "the threads ran one after the other: iterators are lazy, each one was joined before \
             the next was spawned; collect the handles first",
        );
        require(
            most == 4,
            &format!("four items on four threads: {most} at most were worked on at the same time"),
        );
        let most = most_at_once(16, 3, 4, Duration::from_millis(200));
        require(most <= 3, "there are more threads than workers: share the items out among them");
    }
);

judge::case!(
    fn a_panic_is_not_swallowed() {
        let got = catch_unwind(|| {
            par_map(&[0, 1, 2, 3], 2, |&item| {
                assert!(item != 2, "on purpose, in f");
                item
            })
        });
        require(
            got.is_err(),
            "the panic of f vanished, and its results with it: unwrap what join returns, or go on \
             with resume_unwind",
        );
    }
);
