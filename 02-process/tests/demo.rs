//! The demo, seen from outside: what each subcommand prints on stdout.

use judge::{Judge, Report};

fn demo(arguments: &[&str]) -> Report {
    Judge::program(env!("CARGO_BIN_EXE_process")).args(arguments).run()
}

/// The lines that it prints in a run without a fault, with `#` for every number.
fn lines(arguments: &[&str]) -> Vec<String> {
    let report = demo(arguments);
    report.assert_clean();
    let hide = |line: &str| {
        let digits = |a: &u8, b: &u8| a.is_ascii_digit() == b.is_ascii_digit();
        let runs = line.as_bytes().chunk_by(digits);
        let runs = runs.map(|run| if run[0].is_ascii_digit() { b"#" } else { run });
        String::from_utf8_lossy(&runs.collect::<Vec<_>>().concat()).into_owned()
    };
    report.stdout().lines().map(hide).collect()
}

/// The numbers in what it prints.
fn numbers(printed: &str) -> Vec<u64> {
    printed
        .split(|other: char| !other.is_ascii_digit())
        .filter_map(|run| run.parse().ok())
        .collect()
}

#[test]
fn without_a_command_it_prints_the_lessons_transcript() {
    let report = demo(&[]);
    report.assert_clean();
    let printed = report.stdout();
    let [parent, child] = numbers(&printed)[..] else { panic!("two numbers in {printed}") };
    assert_ne!(parent, child);
    assert_eq!(parent, report.pid().unsigned_abs().into());
    let expected = format!(
        "Parent process {parent}.\nChild process will start.\nRun child process test \
         ({child})...\nChild process end.\n"
    );
    assert_eq!(printed, expected);
}

#[test]
fn value_shows_results_read_after_the_end() {
    let lines = lines(&["value"]);
    assert!(lines[0].contains("'a': #, 'c': #"), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.contains("Some(Exited(#))")).count(), 3);
    let last = demo(&["value"]).stdout();
    assert!(last.contains("Some(9999800001)"), "{last}");
}

#[test]
fn end_tells_a_value_from_a_code_from_a_signal() {
    let printed = demo(&["end"]).stdout();
    let told = |what: &str, exitcode: &str, join: &str| {
        let line = printed.lines().find(|line| line.starts_with(what)).expect(what);
        assert!(line.contains(exitcode) && line.contains(join), "{line}");
    };
    told("returns ", "Some(0)", "join: \"something\"");
    told("calls exit(3) ", "Some(3)", "ended without a result: exit code 3");
    told("is terminated ", "Some(-15)", "killed by signal 15 (SIGTERM)");
    told("is killed ", "Some(-9)", "killed by signal 9 (SIGKILL)");
}

#[test]
fn panic_shows_message_and_place() {
    let report = demo(&["panic"]);
    report.assert_clean();
    let printed = report.stdout();
    assert!(printed.contains("element(3) returned 7."), "{printed}");
    assert!(printed.contains("index out of bounds: the len is 4 but the index is 4"), "{printed}");
    assert!(printed.contains("src/demo/panic.rs:"), "{printed}");
    assert!(report.stderr().contains("index out of bounds"), "{report}");
}

#[test]
fn spawn_shows_a_copy_and_a_fresh_program() {
    let report = demo(&["spawn"]);
    report.assert_clean();
    let printed = report.stdout();
    let (forked, spawned) = printed.split_once("Spawn:").expect("both");
    assert!(forked.contains("my counter is 42,\n    I was started as process spawn,"), "{printed}");
    let line = "my counter is 0,\n    I was started as process --spawned-by-its-parent,";
    assert!(spawned.contains(line), "{printed}");
    assert!(spawned.contains("and have 4 descriptors open."), "{printed}");
}

#[test]
fn active_lists_whoever_lives() {
    let lines = lines(&["active"]);
    let alive: Vec<_> = lines.iter().filter(|line| line.starts_with("    alive: ")).collect();
    assert_eq!(
        alive,
        [
            "    alive: anna (#), bert (#), carl (#)",
            "    alive: anna (#), carl (#)",
            "    alive: anna (#), carl (#)"
        ]
    );
    assert_eq!(lines[1], "I am dora (#), and my parent is MainProcess (#).");
}

#[test]
fn sentinel_notices_whoever_ends_first() {
    let expected =
        ["bert", "carl", "anna"].map(|name| format!("The first of # to end was {name}."));
    assert_eq!(lines(&["sentinel"]), expected);
}

#[test]
fn daemon_shows_who_ends_with_a_killed_parent() {
    let lines = lines(&["daemon"]);
    assert!(lines[0].ends_with("killed by signal # (SIGKILL)"), "{lines:#?}");
    assert!(lines[1].starts_with("bert, her daemon, ended with her."), "{lines:#?}");
    assert_eq!(lines[2], "carl, who is none, says: I am #. anna (#) lives: false.");
}

#[test]
fn a_command_that_does_not_exist_is_an_error_with_code_2() {
    for wrong in [&["porcess"][..], &["value", "twice"], &["--folk"]] {
        let report = demo(wrong);
        assert_eq!((report.code(), report.stdout().as_str()), (Some(2), ""), "{wrong:?}");
        assert!(report.stderr().starts_with("process: "), "{}", report.stderr());
        assert!(report.stderr().ends_with("\nTry `process --help`.\n"), "{}", report.stderr());
    }
}

const COMMANDS: [&str; 7] = ["value", "end", "panic", "spawn", "active", "sentinel", "daemon"];

#[test]
fn help_names_every_command() {
    for option in ["-h", "--help"] {
        let report = demo(&[option]);
        report.assert_clean();
        for command in COMMANDS {
            assert!(report.stdout().contains(&format!("\n  {command} ")), "{command}");
        }
    }
}

#[test]
fn a_closed_stdout_ends_it_quietly() {
    for command in COMMANDS.iter().chain(&["--help"]) {
        let script = format!("exec 3>&1; {{ \"$0\" {command}; echo $? >&3; }} | true");
        let shell = Judge::program("/bin/sh").arg("-c").arg(script);
        let report = shell.arg(env!("CARGO_BIN_EXE_process")).run();
        report.assert_clean();
        assert_eq!(report.stdout(), "0\n", "{report}");
        let quiet = report.stderr().is_empty() || *command == "panic";
        assert!(quiet, "{report}");
    }
}
