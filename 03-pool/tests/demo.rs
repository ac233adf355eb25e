//! The demo, seen from outside.

use judge::{Judge, Report};

fn demo(arguments: &[&str]) -> Report {
    Judge::program(env!("CARGO_BIN_EXE_pool")).args(arguments).run()
}

fn number(text: &str) -> &str {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    &text[..digits]
}

#[test]
fn without_a_command_five_tasks_run_on_four_workers() {
    let report = demo(&[]);
    report.assert_clean();
    let text = report.stdout();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 13, "{text}");
    assert_eq!(lines[0], format!("Parent process {}.", report.pid()));
    assert_eq!(lines[1], "Waiting for all subprocesses done...");
    assert_eq!(lines[12], "All subprocesses done.");
    let position = |start: &str| {
        lines
            .iter()
            .position(|line| line.starts_with(start))
            .unwrap_or_else(|| panic!("{start}: {text}"))
    };
    let worker = |task: usize| {
        let line = lines[position(&format!("Run task {task} ("))];
        let pid = number(line.split_once('(').expect("a pid").1);
        assert_eq!(line, format!("Run task {task} ({pid})..."));
        pid
    };
    let ended = |task: usize| {
        let at = position(&format!("Task {task} runs 0."));
        let (_, time) = lines[at].split_once(" runs ").expect("a time");
        assert_eq!((time.len(), &time[4..]), (13, " seconds."), "{text}");
        at
    };
    let workers: std::collections::BTreeSet<&str> = (0..4).map(worker).collect();
    assert_eq!(workers.len(), 4, "each of the first four in its own: {text}");
    // The fifth, in the worker that was free first, and not before that.
    let first = (0..4).min_by_key(|task| ended(*task)).expect("four");
    assert_eq!(worker(4), worker(first), "{text}");
    assert!(position("Run task 4") > ended(first), "{text}");
    ended(4);
}

#[test]
fn faults_tells_four_ends_apart() {
    let report = demo(&["faults"]);
    report.assert_clean();
    let text = report.stdout();
    for part in [
        "84 / 2     42\n",
        "attempt to divide by zero",
        "with exit code 3\n",
        "was killed by signal 6 (SIGABRT) during the task\n",
        "took longer than 300ms",
        "two workers as before",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(report.stderr(), "");
}

#[test]
fn a_command_that_does_not_exist_is_an_error_with_code_2() {
    for wrong in [&["pole"][..], &["faults", "twice"], &["wc"], &["--pole"], &["wc", "--pole"]] {
        let report = demo(wrong);
        assert_eq!((report.code(), report.stdout().as_str()), (Some(2), ""), "{wrong:?}");
        assert!(report.stderr().starts_with("pool: "), "{}", report.stderr());
        assert!(report.stderr().ends_with("\nTry `pool --help`.\n"), "{}", report.stderr());
    }
}

#[test]
fn help_names_every_command() {
    for option in ["-h", "--help"] {
        let report = demo(&[option]);
        report.assert_clean();
        for command in ["faults", "wc PATH..."] {
            assert!(report.stdout().contains(&format!("\n  {command} ")), "{command}");
        }
    }
}

#[test]
fn a_closed_output_ends_it_quietly() {
    for arguments in ["", "faults", "wc /etc", "--help"] {
        let program = env!("CARGO_BIN_EXE_pool");
        // Its reader is gone before it begins.
        let script = format!("exec 3>&1; {{ sleep 0.1; {program} {arguments}; echo $? >&3; }} | :");
        let report = Judge::program("/bin/sh").args(["-c", &script]).run();
        report.assert_clean();
        assert_eq!(report.stderr(), "", "{arguments}");
        assert!(["0\n", "1\n"].contains(&&*report.stdout()), "{arguments}: {}", report.stdout());
    }
}
