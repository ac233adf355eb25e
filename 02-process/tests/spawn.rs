//! What is special to a spawned child: it begins in `main` again.

mod common;

use std::env;
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use common::*;
use judge::{Judge, Limit, scenario};
use process::{Error, Process, Start, active_children};

fn spawned(process: Process<u32>) -> Process<u32> {
    process.method(Start::Spawn)
}

fn seven() -> u32 {
    7
}

scenario!(
    fn forgets_init() {
        let mut child = spawned(Process::new(seven, ()));
        let error = child.start().expect_err("it would run the whole program again");
        let told = matches!(error, Error::NoInit { .. });
        judge::check("refused", told && active_children().is_empty(), &error.to_string());
        let forked = started(Process::new(seven, ())).join();
        judge::check("forked", forked.is_ok_and(|value| value == 7), "a fork needs no init");
    }
);

#[test]
fn a_spawn_without_init_is_an_error_and_starts_nothing() {
    let report = Judge::scenario(&forgets_init).declare(["refused", "forked"]).run();
    report.assert_clean();
    assert!(report.processes().len() <= 2, "{report}");
}

scenario!(
    fn calls_init_in_the_parent_only() {
        // The child comes here too, with another command line, as a program that reads that first.
        let is_parent = env::args_os().len() == 1;
        if is_parent {
            process::init();
        }
        let mut child = spawned(Process::new(seven, ()));
        if is_parent {
            child.start().expect("a process");
            let result = child.join();
            let text = format!("{result:?}");
            let code =
                matches!(result, Err(Error::Ended { status, .. }) if status.code() == Some(5));
            judge::check("ended", code, &text);
        } else {
            // It would do as its parent did, and its child as well.
            let refused = matches!(child.start(), Err(Error::NoInit { .. }));
            judge::check("refused", refused, "a child that missed init can't spawn");
            #[expect(clippy::disallowed_methods, reason = "it was executed, not forked")]
            std::process::exit(5);
        }
    }
);

#[test]
fn a_spawn_of_a_program_that_never_comes_to_init_is_no_fork_bomb() {
    let judge = Judge::scenario(&calls_init_in_the_parent_only).limit(Limit::Processes(20));
    let report = judge.declare(["refused", "ended"]).run();
    report.assert_clean();
    assert!(report.processes().len() <= 2, "{report}");
}

scenario!(
    fn calls_init_late() {
        let mut child = spawned(Process::new(seven, ()));
        let refused = matches!(child.start(), Err(Error::NoInit { .. }));
        judge::check("refused", refused, "before init it spawns nothing, here and in the child");
        process::init();
        child.start().expect("a process");
        judge::check("value", child.join().is_ok_and(|value| value == 7), "afterwards it does");
    }
);

#[test]
fn a_program_that_calls_init_late_spawns_one_child_and_not_more() {
    let judge = Judge::scenario(&calls_init_late).limit(Limit::Processes(20));
    let report = judge.declare(["refused", "value"]).run();
    report.assert_clean();
    assert!(report.processes().len() <= 2, "{report}");
}

#[test]
fn the_sign_of_a_spawned_child_typed_by_hand_is_an_error() {
    let program = Judge::program(env!("CARGO_BIN_EXE_process"));
    let report = program.arg("--spawned-by-its-parent").run();
    assert_eq!((report.code(), report.stdout().as_str()), (Some(1), ""));
    assert!(report.stderr().starts_with("a spawned child can't begin: "), "{report}");
}

static MEMORY: AtomicU32 = AtomicU32::new(1);

scenario!(
    fn remembers() {
        process::init();
        MEMORY.store(2, Relaxed);
        for (method, expected) in [(Start::Fork, 2), (Start::Spawn, 1)] {
            let child = Process::new(|| MEMORY.load(Relaxed), ()).method(method);
            let seen = started(child).join().expect("its result");
            check_for(method, "memory", seen == expected, "copied by a fork, and fresh otherwise");
            let child = Process::new(|| MEMORY.swap(3, Relaxed), ()).method(method);
            started(child).join().expect("its result");
            let ours = MEMORY.load(Relaxed) == 2;
            check_for(method, "ours", ours, "what a child changes is its own");
        }
    }
);

#[test]
fn a_forked_child_has_its_parents_memory_and_a_spawned_one_begins_afresh() {
    Judge::scenario(&remembers).declare(both(&["memory", "ours"])).run().assert_clean();
}

scenario!(
    fn has_large_arguments() {
        process::init();
        for method in METHODS {
            let count = |text: String| text.len();
            let text = "x".repeat(8 << 20);
            let mut child = Process::new(count, (text,)).method(method);
            child.start().expect("a process");
            check_for(method, "whole", child.join().is_ok_and(|len| len == 8 << 20), "they arrive");
        }
    }
);

#[test]
fn arguments_of_any_size_reach_the_child() {
    Judge::scenario(&has_large_arguments).declare(both(&["whole"])).run().assert_clean();
}

scenario!(
    fn is_killed_at_its_start() {
        process::init();
        for method in METHODS {
            let right = (0..40).all(|_| {
                let mut child = started(Process::new(forever, ()).method(method));
                child.kill().expect("it is ours");
                let signal = match child.join() {
                    Err(Error::Ended { status, .. }) => status.signal(),
                    _ => None,
                };
                signal == Some(9)
            });
            check_for(method, "told", right, "however far it had come");
        }
    }
);

#[test]
fn a_child_killed_at_its_start_is_told_from_one_that_was_never_started() {
    Judge::scenario(&is_killed_at_its_start).declare(both(&["told"])).run().assert_clean();
}

scenario!(
    fn prints_its_arguments() {
        process::init();
        println!("{}", env::args().count());
        let child = Process::new(
            || {
                print!("{}", env::args().nth(1).unwrap_or_default());
                7
            },
            (),
        );
        started(spawned(child)).join().expect("its result");
        std::io::stdout().flush().expect("somebody reads");
    }
);

#[test]
fn what_a_spawned_child_prints_is_printed_once_and_whole() {
    let report = Judge::scenario(&prints_its_arguments).run();
    report.assert_clean();
    assert_eq!(report.stdout(), "1\n--spawned-by-its-parent");
}
