//! The demo, seen from outside: what each subcommand prints on stdout.

use judge::{Judge, Report};

fn demo(arguments: &[&str]) -> Report {
    Judge::program(env!("CARGO_BIN_EXE_ipc")).args(arguments).run()
}

/// What it prints, after a run without a fault.
fn printed(arguments: &[&str]) -> String {
    let report = demo(arguments);
    report.assert_clean();
    report.stdout()
}

#[test]
fn without_a_command_it_prints_the_tutorials_lines() {
    let printed = printed(&[]);
    let pids: Vec<_> = printed.lines().filter_map(|line| line.split(": ").nth(1)).collect();
    let [writer, reader] = pids[..] else { panic!("{printed}") };
    assert_ne!(writer, reader);
    let expected = format!(
        "Process to write: {writer}\nPut A to queue...\nProcess to read: {reader}\n\
         Get A from queue.\nPut B to queue...\nGet B from queue.\nPut C to queue...\n\
         Get C from queue.\n"
    );
    assert_eq!(printed, expected);
}

#[test]
fn queue_shows_values_of_the_killed_and_the_end() {
    let printed = printed(&["queue"]);
    let counts =
        printed.lines().filter_map(|line| line.split_whitespace().next()?.parse::<u32>().ok());
    assert_eq!(counts.sum::<u32>(), 2000, "{printed}");
    assert!(!printed.contains("OUT OF ORDER"), "{printed}");
    assert!(
        printed.contains("\n    the first\n    the second\n    there is no message"),
        "{printed}"
    );
}

#[test]
fn pipe_shows_answers_sizes_a_file_and_the_end() {
    let printed = printed(&["pipe"]);
    assert!(printed.contains("\"seventeen\" has 9 letters"), "{printed}");
    assert!(printed.contains("0 bytes there,        0 back"), "{printed}");
    assert!(printed.contains("16777216 bytes there, 16777216 back"), "{printed}");
    assert!(printed.contains("    written by "), "{printed}");
    assert!(printed.ends_with("closed, or the last is gone\n"), "{printed}");
}

#[test]
fn memory_shows_lost_counts_and_how_to_lose_none() {
    let printed = printed(&["memory"]);
    assert!(printed.contains("in a variable        0"), "{printed}");
    assert!(printed.contains("in shared memory     42"), "{printed}");
    assert!(printed.contains("fetch_add            400000"), "{printed}");
    assert!(printed.contains("under a lock         400000"), "{printed}");
}

#[test]
fn lock_shows_that_the_next_owner_is_told() {
    let printed = printed(&["lock"]);
    assert!(printed.contains("Did its former owner die? Yes"), "{printed}");
    assert!(printed.contains("[70, 100]") && printed.contains("[70, 130]"), "{printed}");
}

#[test]
fn socket_shows_who_is_there_and_takes_no_address_from_the_living() {
    let printed = printed(&["socket"]);
    assert!(printed.contains("the kernel says who is there: process "), "{printed}");
    assert!(printed.contains("bind, if it is dead: bound"), "{printed}");
    assert!(printed.contains("bind, if it lives:   address in use"), "{printed}");
}

#[test]
fn signal_shows_that_three_are_one_and_three_messages_three() {
    let printed = printed(&["signal"]);
    assert_eq!(printed.matches("SIGUSR1, from").count(), 1, "{printed}");
    assert_eq!(printed.matches("message \"").count(), 3, "{printed}");
}

#[test]
fn ipc_channel_shows_what_it_does_well_and_its_traps() {
    let printed = printed(&["ipc-channel"]);
    assert!(printed.contains("12 * 12 = 144"), "{printed}");
    assert!(printed.contains("1048576 bytes of 7"), "{printed}");
    assert!(printed.contains("I have a copy of it: nothing yet"), "{printed}");
    assert!(printed.contains("and then it waits for ever"), "{printed}");
}

#[test]
fn compare_times_every_way() {
    let printed = printed(&["compare"]);
    for way in ["ipc::Queue, bytes", "ipc::pipe", "a bare pipe", "a Unix socket", "ipc-channel"] {
        let line = printed.lines().find(|line| line.starts_with(way)).expect(way);
        let rates = line.split_whitespace().rev().take(3);
        assert!(rates.clone().all(|it| it.replace(',', "").parse::<u64>().is_ok()), "{line}");
    }
}

#[test]
fn a_command_that_does_not_exist_is_an_error_with_code_2() {
    for wrong in [&["pipes"][..], &["pipe", "twice"], &["--pipe"]] {
        let report = demo(wrong);
        assert_eq!((report.code(), report.stdout().as_str()), (Some(2), ""), "{wrong:?}");
        assert!(report.stderr().starts_with("ipc: "), "{}", report.stderr());
        assert!(report.stderr().ends_with("\nTry `ipc --help`.\n"), "{}", report.stderr());
    }
}

#[test]
fn help_names_every_command() {
    for option in ["-h", "--help"] {
        let printed = printed(&[option]);
        let commands =
            ["queue", "pipe", "memory", "lock", "socket", "signal", "ipc-channel", "compare"];
        for command in commands {
            assert!(printed.contains(&format!("\n  {command} ")), "{command}");
        }
    }
}
