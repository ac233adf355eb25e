//! A parent with many threads: each starts and joins its own.

mod common;

use std::io::{self, Write};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use common::*;
use judge::{Judge, scenario};
use process::{Process, Start, active_children, current_process, fork, parent_process};

/// Uses every lock of the library that there is, in a child: if another thread of the parent held
/// one at the fork, it hangs.
fn uses_the_library(name: String, number: u32, spawned: bool) -> (u32, usize) {
    assert_eq!(current_process().name(), name);
    assert!(parent_process().is_some_and(|parent| parent.is_alive()));
    assert!(active_children().is_empty());
    let descriptors = open_descriptors();
    if number.is_multiple_of(4) {
        let method = if spawned { Start::Spawn } else { Start::Fork };
        let below = |name| uses_the_library(name, 1, false).0;
        let child = Process::new(below, ("below".to_owned(),)).name("below").method(method);
        assert_eq!(started(child).join().expect("its result"), 1);
    }
    (number, descriptors)
}

scenario!(
    fn sixteen_threads_start_and_join() {
        process::init();
        let before = open_descriptors();
        for method in METHODS {
            let rounds = if method == Start::Fork { 20 } else { 5 };
            let together = &Barrier::new(16);
            let run = |thread: u32| {
                move || -> Vec<String> {
                    let rounds = (0..rounds).filter_map(|round| {
                        together.wait();
                        let number = 16 * round + thread;
                        let name = format!("number {number}");
                        let arguments = (name.clone(), number, number.is_multiple_of(16));
                        let child = Process::new(uses_the_library, arguments).name(name);
                        // While some spawn others fork, and copy what is open at that moment.
                        let method = if thread % 2 == 0 { method } else { Start::Fork };
                        let inherited = if method == Start::Fork { before } else { 3 };
                        let daemon = number.is_multiple_of(3);
                        let seen = started(child.method(method).daemon(daemon)).join();
                        // And where its answer goes, and a daemon's tether: nothing of the others.
                        let descriptors = inherited + 1 + usize::from(daemon);
                        let right = matches!(seen, Ok(seen) if seen == (number, descriptors));
                        (!right).then(|| format!("{number}: {seen:?}"))
                    });
                    rounds.collect()
                }
            };
            let wrong: Vec<String> = thread::scope(|scope| {
                let threads: Vec<_> = (0..16).map(|thread| scope.spawn(run(thread))).collect();
                threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
            });
            let right = wrong.is_empty();
            check_for(
                method,
                "all",
                right,
                &format!("its own value, nothing of others': {wrong:?}"),
            );
            let clean = active_children().is_empty() && open_descriptors() == before;
            check_for(method, "after", clean, "nothing is left");
        }
    }
);

#[test]
fn sixteen_threads_start_and_join_processes_at_once() {
    let report = Judge::scenario(&sixteen_threads_start_and_join);
    report.declare(both(&["all", "after"])).run().assert_clean();
}

/// Three threads that do one thing over and over, while this one does another.
fn beside_those_who<T>(do_it: fn(), action: impl FnOnce() -> T) -> T {
    let stop = &AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(move || {
                while !stop.load(Relaxed) {
                    do_it();
                }
            });
        }
        let result = action();
        stop.store(true, Relaxed);
        result
    })
}

fn ask() {
    assert_eq!(current_process().name(), "MainProcess");
    assert!(parent_process().is_none() && active_children().len() < 2);
}

/// Needs a lock of this library while it has that of stdout. A start needs both, too.
fn print_the_answer() {
    let mut out = io::stdout().lock();
    ask();
    let _ = write!(out, "{}", current_process().name());
    drop(out);
    thread::yield_now();
}

scenario!(
    fn asks_while_it_starts() {
        process::init();
        for method in METHODS {
            let rounds = if method == Start::Fork { 100 } else { 10 };
            let right = beside_those_who(print_the_answer, || {
                (0..rounds).all(|number| {
                    let child = Process::new(uses_the_library, ("anna".to_owned(), number, false));
                    started(child.name("anna").method(method)).join().is_ok()
                })
            });
            check_for(method, "all", right, "neither waits for the other for ever");
        }
    }
);

#[test]
fn a_thread_that_prints_who_it_is_and_one_that_starts_a_process_never_wait_for_each_other() {
    let report = Judge::scenario(&asks_while_it_starts).output_cap(64 << 20);
    report.declare(both(&["all"])).run().assert_clean();
}

scenario!(
    fn forks_beside_them() {
        let right = beside_those_who(ask, || {
            (0..100).all(|_| {
                let child = fork(|| {
                    let first = current_process().name() == "MainProcess";
                    let mut child = started(Process::new(|| 7, ()));
                    let value = child.join().is_ok_and(|value| value == 7);
                    i32::from(!(first && active_children().is_empty() && value))
                });
                child.expect("a child").wait().expect("its status").success()
            })
        });
        judge::check("all", right, "no lock of the library is shut in a child");
    }
);

#[test]
fn the_library_is_usable_in_any_forked_child_of_a_threaded_parent() {
    let report = Judge::scenario(&forks_beside_them).output_cap(64 << 20);
    report.declare(["all"]).run().assert_clean();
}

scenario!(
    fn shares_a_handle() {
        // In a child the parent's processes are not its own, whatever it does with them.
        let (mut anna, tell) = returns_when_told(Start::Fork, 7);
        let child = fork(|| {
            let untold = anna.kill().is_err() && anna.status().is_err() && anna.sentinel().is_err();
            let not_joined = anna.join().is_err() && !anna.is_alive();
            drop(anna);
            i32::from(!(untold && not_joined && active_children().is_empty()))
        });
        drop(tell);
        let child = child.expect("a child").wait().expect("its status").success();
        while !active_children().is_empty() {
            thread::yield_now();
        }
        judge::check("child", child, "it can neither end nor join its parent's child");
    }
);

#[test]
fn a_childs_copy_of_a_handle_is_nobodys() {
    Judge::scenario(&shares_a_handle).declare(["child"]).run().assert_clean();
}
