//! The demo, seen from outside: what each subcommand prints on stdout.

use judge::{Judge, Report};

fn demo(arguments: &[&str]) -> Report {
    Judge::program(env!("CARGO_BIN_EXE_lock")).args(arguments).run()
}

/// What it prints, after a run without a fault.
fn printed(arguments: &[&str]) -> String {
    let report = demo(arguments);
    report.assert_clean();
    report.stdout()
}

#[test]
fn without_a_command_the_balance_is_wrong_and_under_a_lock_it_is_0() {
    // By chance the losses may make up for each other: then there is another try.
    let wrong = (0..5).any(|_| {
        let printed = printed(&[]);
        let (without, with) = printed.split_once('\n').expect("two lines");
        assert_eq!(with, "with a lock: 0\n");
        let balance: i64 = without
            .strip_prefix("without a lock: ")
            .and_then(|balance| balance.parse().ok())
            .expect("a number");
        balance != 0
    });
    assert!(wrong, "five times in a row no update was lost");
}

#[test]
fn race_shows_an_update_lost() {
    let printed = printed(&["race"]);
    let steps: Vec<_> = printed.lines().map(str::trim).collect();
    assert_eq!(
        steps[1..9],
        [
            "thread 5 reads 0",
            "thread 5 writes 5",
            "thread 8 reads 5",
            "thread 5 reads 5",
            "thread 5 writes 0",
            "thread 8 writes 13",
            "thread 8 reads 13",
            "thread 8 writes 5",
        ]
    );
    assert!(steps[9].starts_with("The balance is 5:"));
}

#[test]
fn steps_times_three_locks() {
    let printed = printed(&["steps"]);
    let row = |name: &str| {
        let line = printed.lines().find(|line| line.trim().starts_with(name)).expect(name);
        let busy = line.split_whitespace().nth(2).expect("milliseconds of a core");
        busy.parse::<f64>().expect("a number")
    };
    row("SpinLock");
    assert!(row("SleepLock") < 10.0 && row("Mutex") < 10.0, "who sleeps is busy: {printed}");
}

#[test]
fn the_other_subcommands_show_their_point() {
    for (command, point) in [
        ("condvar", "notify(2) wakes 2: anna and bert\nnotify(1) wakes 1: carl\n"),
        ("rwlock", "May a third one? yes\nMay a writer? no\n"),
        ("semaphore", "The most that were busy at a time: 2\nOne release too many: can't release"),
        ("event", "Is it set? false\nAll the same they ran: anna, bert, carl\n"),
        ("barrier", "Their places: [0, 1, 2]\n"),
        ("rlock", "I hold it 1 time. May another thread have it? false\n"),
        ("poison", "It guards [90, 100]: 10 are missing"),
    ] {
        let printed = printed(&[command]);
        assert!(printed.contains(point), "{command}: {printed}");
    }
}

#[test]
fn deadlock_is_shown_found_and_avoided_and_ends_by_itself() {
    let printed = printed(&["deadlock"]);
    for who in ["anna", "bert"] {
        let stuck = format!("    {who} has one lock; the other one: not to be had\n");
        assert!(printed.contains(&stuck), "{printed}");
    }
    let found = printed.lines().find(|line| line.contains("a deadlock lies")).expect("found");
    assert!(found.contains("books then till at 07-lock/src/demo/deadlock.rs:"), "{found}");
    assert!(found.contains(", till then books at 07-lock/src/demo/deadlock.rs:"), "{found}");
    assert!(printed.ends_with("2000 transfers there and back, 1000 and 1000.\n"), "{printed}");
}

#[test]
fn a_command_that_does_not_exist_is_an_error_with_code_2() {
    for wrong in [&["rase"][..], &["race", "twice"], &["--rase"]] {
        let report = demo(wrong);
        assert_eq!((report.code(), report.stdout().as_str()), (Some(2), ""), "{wrong:?}");
        assert!(report.stderr().starts_with("lock: "), "{}", report.stderr());
        assert!(report.stderr().ends_with("\nTry `lock --help`.\n"), "{}", report.stderr());
    }
}

#[test]
fn help_names_every_command() {
    for option in ["-h", "--help"] {
        let printed = printed(&[option]);
        for command in [
            "race",
            "steps",
            "condvar",
            "rwlock",
            "semaphore",
            "event",
            "barrier",
            "rlock",
            "poison",
            "deadlock",
        ] {
            assert!(printed.contains(&format!("\n  {command} ")), "{command}");
        }
    }
}
