//! The demo, seen from outside: what each subcommand prints on stdout.
#![deny(unsafe_code)]

use judge::{Judge, Report};

fn demo(arguments: &[&str]) -> Report {
    Judge::program(env!("CARGO_BIN_EXE_threads")).args(arguments).run()
}

/// What it prints, after a run without a fault.
fn printed(arguments: &[&str]) -> String {
    let report = demo(arguments);
    report.assert_clean();
    report.stdout()
}

const TRANSCRIPT: &str = "\
thread MainThread is running...
thread LoopThread is running...
thread LoopThread >>> 1
thread LoopThread >>> 2
thread LoopThread >>> 3
thread LoopThread >>> 4
thread LoopThread >>> 5
thread LoopThread ended.
thread MainThread ended.
";

#[test]
fn without_a_command_a_thread_runs_another_and_waits_for_it() {
    assert_eq!(printed(&[]), TRANSCRIPT);
}

#[test]
fn raw_prints_the_same_from_the_threads_of_the_c_library() {
    assert_eq!(printed(&["raw"]), TRANSCRIPT);
}

#[test]
fn names_shows_the_process_view_and_the_kernels() {
    let printed = printed(&["names"]);
    let (process, kernel) = printed.split_once("As the kernel does").expect("two lists");
    let rows = |list: &str| -> Vec<(u32, String)> {
        let rows = list.lines().filter_map(|line| {
            let (id, name) = line.trim_start().split_once("  ")?;
            Some((id.parse().ok()?, name.to_owned()))
        });
        rows.collect()
    };
    let (process, kernel) = (rows(process), rows(kernel));
    let names = |rows: &[(u32, String)]| rows.iter().map(|it| it.1.clone()).collect::<Vec<_>>();
    let seen =
        ["MainThread (that's me)", "anna", "Thread-1 (daemon)", "a name that is rather long"];
    assert_eq!(names(&process), seen);
    assert_eq!(names(&kernel), ["threads", "anna", "Thread-1", "a name that is"]);
    assert!(process.iter().zip(&kernel).all(|(a, b)| a.0 == b.0), "{printed}");
}

#[test]
fn panic_shows_who_hears_of_it() {
    let report = demo(&["panic"]);
    report.assert_clean();
    let printed = report.stdout();
    let lines: Vec<_> = printed.lines().take(3).collect();
    let expected =
        ["anna gave 5.", "bert panicked, and join says why: 7 has no half", "carl gave 6."];
    assert_eq!(lines, expected);
    assert!(report.stderr().contains("thread 'bert'"), "{}", report.stderr());
}

#[test]
fn exit_shows_who_waits_for_whom() {
    let expected = "\
A thread of std begins.
A daemon begins.
A Thread begins.
main returns. It drops all three, and joins none.
A Thread ends: its owner, who dropped it, waits for it.
";
    for _ in 0..10 {
        assert_eq!(printed(&["exit"]), expected);
    }
}

#[test]
fn scope_gets_back_what_it_lent() {
    let printed = printed(&["scope"]);
    assert!(printed.contains("125250 and 375250."), "{printed}");
    assert!(printed.contains("looked at 1000 numbers"), "{printed}");
}

#[test]
fn channels_are_bounded_meet_are_selected_and_end() {
    let expected = "\
bounded(2) holds A and B. C is refused: true.
    A send that waits gets through when there is room: ABC.
bounded(0) holds nothing. Without a receiver A is refused: true.
    Handed over, as send and receive met: A.
select takes what is there, 1 and A, and then the deadline.
Without a sender, what was sent arrives: true. Then it is disconnected: true.
    Without a receiver, a message comes back to who sent it: true.
";
    assert_eq!(printed(&["channels"]), expected);
}

#[test]
fn pool_shares_out_a_million_tasks_survives_a_panic_and_sleeps() {
    let printed = printed(&["pool"]);
    let counts = printed.lines().filter_map(|line| {
        let (count, _) = line.strip_prefix("    ")?.trim_start().split_once(" by ThreadId")?;
        count.parse::<u32>().ok()
    });
    assert_eq!(counts.sum::<u32>(), 1_000_000, "{printed}");
    assert!(printed.contains("A task fails: the task panicked at "), "{printed}");
    assert!(printed.contains("The next one gives 42."), "{printed}");
    // A tick goes to whoever runs when it comes, so one may be charged to who did next to nothing.
    let used = |ticks: u8| printed.contains(&format!("the whole process used {ticks} ticks"));
    assert!(used(0) || used(1), "{printed}");
    assert!(printed.ends_with("Closed, and joined: 1 thread is left.\n"), "{printed}");
}

#[test]
fn cores_compares_one_thread_with_one_for_each_core() {
    let printed = printed(&["cores"]);
    let row = printed.lines().find(|line| line.starts_with("Rust")).expect("our row");
    let numbers: Vec<f64> = row.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    // How much faster is the machine's affair, and its other users': tests/thread.rs has the promise.
    assert!(numbers.len() == 3 && numbers.iter().all(|it| *it > 0.0), "{row}");
    assert!((numbers[0] / numbers[1] - numbers[2]).abs() < 0.1, "{row}");
    assert!(printed.contains("\nPython"), "{printed}");
}

#[test]
fn versus_compares_processes_and_threads_at_the_same_job() {
    let printed = printed(&["versus"]);
    for (row, times) in
        [("start one and join it", 1.0), ("a small task, of many", 1.0), ("1 MiB", 1.0)]
    {
        let row = printed.lines().find(|line| line.contains(row)).expect(row);
        let ratio: f64 = row.split_whitespace().last().and_then(|it| it.parse().ok()).expect(row);
        assert!(ratio > times, "processes cost more: {row}");
    }
    for row in ["there and back", "one worker more, idle", "17984 primes, below 200000"] {
        assert!(printed.contains(row), "{row} is not in\n{printed}");
    }
    let (process, thread) = printed.split_once("as a thread:").expect("both crash");
    assert!(
        process.contains("killed by signal 6") && process.contains("tasks were done"),
        "{process}"
    );
    assert!(thread.contains("its process was killed by signal 6"), "{thread}");
}

#[test]
fn a_command_that_does_not_exist_is_an_error_with_code_2() {
    for wrong in [&["treads"][..], &["raw", "twice"], &["wc"], &["--treads"]] {
        let report = demo(wrong);
        assert_eq!((report.code(), report.stdout().as_str()), (Some(2), ""), "{wrong:?}");
        assert!(report.stderr().starts_with("threads: "), "{}", report.stderr());
        assert!(report.stderr().ends_with("\nTry `threads --help`.\n"), "{}", report.stderr());
    }
}

#[test]
fn help_names_every_command() {
    for option in ["-h", "--help"] {
        let printed = printed(&[option]);
        for command in [
            "raw",
            "names",
            "panic",
            "exit",
            "scope",
            "channels",
            "pool",
            "cores",
            "versus",
            "wc PATH...",
        ] {
            assert!(printed.contains(&format!("\n  {command} ")), "{command}");
        }
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let program = env!("CARGO_BIN_EXE_threads");
    for command in ["", "names", "channels", "wc /proc/cpuinfo"] {
        let script = format!("({program} {command}; echo $? >&2) | true");
        let report = Judge::program("/bin/sh").args(["-c", &script]).run();
        assert_eq!(report.stderr(), "0\n", "{command}");
    }
}
