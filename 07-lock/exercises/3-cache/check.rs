// What `get_or_compute` must do. `f` is the check's own: from inside it the case tries the lock, and lets another caller in.

use std::thread;
use std::time::Duration;

use judge::exercise::{Case, require};

use super::answer::{Cache, get_or_compute};

pub(crate) const CASES: &[Case] = &[
    Case::of(&a_miss_computes_and_a_hit_does_not).within(Duration::from_secs(1)).hang(
        "deadlock with yourself: you call write() while your own read guard lives; the read guard in \
         the head of the match lives until its end, copy the value out first (let hit = ...;)",
    ),
    Case::of(&f_runs_without_a_lock)
        .within(Duration::from_secs(1))
        .hang("hang: f uses the cache itself, and waits for a lock that you hold while f runs"),
    Case::of(&the_first_insert_wins)
        .within(Duration::from_secs(1))
        .hang("hang: another caller waits for a lock that you hold while f runs"),
];

judge::case!(
    fn a_miss_computes_and_a_hit_does_not() {
        let cache = Cache::default();
        let mut calls = 0;
        let mut get = |key, value| {
            get_or_compute(&cache, key, || {
                calls += 1;
                value
            })
        };
        let got = [get(1, 10), get(2, 20), get(1, 11), get(2, 21)];
        require(got[..2] == [10, 20], "a miss did not return what f computed");
        require(got[2..] == [10, 20], "a hit did not return the value that the first call cached");
        require(
            calls == 2,
            "a hit called f, or a miss called it not: look first, and compute only what is not there",
        );
    }
);

judge::case!(
    fn f_runs_without_a_lock() {
        let cache = Cache::default();
        let got = get_or_compute(&cache, 1, || {
            require(
                cache.try_read().is_ok(),
                "you hold the write lock while f runs, so everybody waits for a slow f (and f for \
                 you, if it uses the cache); compute first, then lock for the insert alone",
            );
            require(
                cache.try_write().is_ok(),
                "you hold the read lock while f runs, so nobody can insert; drop the guard before \
                 you call f",
            );
            get_or_compute(&cache, 2, || 20) + 1
        });
        require(got == 21, "f used the cache itself, and the result was not what it computed");
    }
);

judge::case!(
    fn the_first_insert_wins() {
        let cache = Cache::default();
        let other = |value| get_or_compute(&cache, 1, || value);
        let mine = get_or_compute(&cache, 1, || {
            let first = thread::scope(|s| s.spawn(|| other(10)).join());
            require(first.is_ok_and(|first| first == 10), "the caller that was first got no value");
            20
        });
        let later = other(30);
        require(
            later == 10,
            "two callers got different values for one key: another thread inserted between your read \
             and your write; look again under the write lock (entry().or_insert)",
        );
        require(
            mine == 10,
            "two callers got different values for one key: the first insert is in the cache, and you \
             returned your own; return what is in the cache after the insert",
        );
    }
);
