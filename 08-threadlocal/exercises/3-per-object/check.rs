// What `Stats` must do: each key that comes again has a case in which it does.

use std::thread;
use std::time::Duration;

use judge::exercise::{Case, require};

use super::answer::Stats;

pub(crate) const CASES: &[Case] = &[
    Case::of(&a_thread_counts).within(Duration::from_secs(1)).hang(HANG),
    Case::of(&two_objects_are_apart).within(Duration::from_secs(1)).hang(HANG),
    Case::of(&a_new_object_starts_at_nothing).within(Duration::from_secs(1)).hang(HANG),
    Case::of(&live_threads_are_apart).hang(HANG),
    Case::of(&a_new_thread_starts_at_nothing).hang(HANG),
    Case::of(&the_total_has_all_threads).hang(HANG),
];

const HANG: &str = "hang: a call does not end; does it lock the counts twice?";

judge::case!(
    fn a_thread_counts() {
        let stats = Stats::default();
        require(
            (stats.mine(), stats.total()) == (0, 0),
            "a Stats to which nobody has added does not say 0",
        );
        stats.add(3);
        stats.add(4);
        require(stats.mine() == 7, "this thread has added 3 and 4, and mine() is not 7");
        require(stats.total() == 7, "one thread has added 3 and 4, and total() is not 7");
    }
);

judge::case!(
    fn two_objects_are_apart() {
        let (a, b) = (Stats::default(), Stats::default());
        a.add(3);
        require(
            (a.mine(), b.mine()) == (3, 0) && b.total() == 0,
            "two Stats share one count: a thread_local! is per thread for the whole program, not per \
             object; key by the thread inside the object",
        );
    }
);

judge::case!(
    fn a_new_object_starts_at_nothing() {
        for _ in 0..10 {
            // In the same place each time.
            let stats = Stats::default();
            require(
                stats.mine() == 0,
                "a new Stats found the count of one that is gone: an address is used again; keep the \
                 counts inside the object",
            );
            stats.add(1);
        }
    }
);

judge::case!(
    fn live_threads_are_apart() {
        let stats = Stats::default();
        thread::scope(|outer| {
            outer.spawn(|| {
                stats.add(1);
                // While this one lives.
                let others = thread::scope(|inner| inner.spawn(|| stats.mine()).join());
                require(
                    others.is_ok_and(|others| others == 0),
                    "two live threads share one count: names need not be there, and need not differ; \
                     key by thread::current().id()",
                );
                require(stats.mine() == 1, "a thread lost its count while another one looked at its own");
            });
        });
    }
);

judge::case!(
    fn a_new_thread_starts_at_nothing() {
        let stats = Stats::default();
        for _ in 0..50 {
            let one = || {
                let found = stats.mine();
                stats.add(1);
                found
            };
            // Joined, so that its stack, and with it its pthread_t, is free for the next one.
            let found = thread::scope(|s| s.spawn(one).join());
            require(
                found.is_ok_and(|found| found == 0),
                "a new thread found the count of a thread that has ended: pthread_self() values are \
                 used again; ThreadId is never reused",
            );
        }
    }
);

judge::case!(
    fn the_total_has_all_threads() {
        let stats = Stats::default();
        thread::scope(|s| {
            for n in 1..=4 {
                let stats = &stats;
                s.spawn(move || stats.add(n));
            }
        });
        stats.add(100);
        let total = stats.total();
        require(
            total == 110,
            &format!(
                "the total is {total} and not 110: it is the sum over all threads, also those that have \
                 ended"
            ),
        );
        require(stats.mine() == 100, "mine() has what other threads have added");
    }
);
