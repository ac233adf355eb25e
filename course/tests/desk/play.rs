//! `cargo course play`: demos that end well, fail, hang, and leave something behind.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{SmallCourse, desk, end, root};

const ECHO: &str =
    r#"fn main() { println!("<{}>", std::env::args().skip(1).collect::<String>()) }"#;

#[test]
fn each_demo_comes_between_what_to_look_at_and_what_was_seen() {
    let course = SmallCourse::new("play-order", ECHO);
    let report = course.desk(&["play", "fork"], &[]).run();
    assert_eq!(report.code(), Some(0), "{report}");
    let output = report.stdout();
    let mut rest = &*output;
    for demo in ["", "exit", "zombie", "orphan", "buffer", "cow", "threads", "lock", "tree"] {
        for part in ["\nLook at: ", &format!("\n\n<{demo}>\n\n"), "Seen: "] {
            let at = rest.find(part).unwrap_or_else(|| panic!("{demo}: no {part:?} in {rest}"));
            rest = &rest[at + part.len()..];
        }
    }
    assert_eq!(course.progress(), "played fork\n");
    course.desk(&["play"], &[]).run().assert_clean();
    assert_eq!(course.progress(), "played fork\n", "played twice is still played");
}

#[test]
fn a_demo_that_fails_is_named_and_the_next_has_its_turn() {
    let course = SmallCourse::new(
        "play-fails",
        r#"fn main() { match std::env::args().nth(1).as_deref() {
            Some("zombie") => std::process::exit(3),
            Some("orphan") => std::process::abort(),
            _ => println!("well"),
        } }"#,
    );
    let report = course.desk(&["play", "1"], &[]).run();
    assert_eq!(report.code(), Some(1), "{report}");
    let output = report.stdout();
    assert_eq!(output.matches("\nwell\n").count(), 7, "{output}");
    assert!(output.contains("did not end well: it ended with exit code 3"), "{output}");
    assert!(output.contains("did not end well: it was killed by signal 6"), "{output}");
    let named = "cargo run -p fork -- zombie; cargo run -p fork -- orphan";
    assert!(report.stderr().contains(named), "{report}");
    assert_eq!(course.progress(), "", "what failed was not played");
}

#[test]
fn a_demo_that_hangs_is_stopped_with_all_that_it_started_and_a_reason() {
    let course = SmallCourse::new(
        "play-hangs",
        r#"fn main() { if std::env::args().nth(1).as_deref() == Some("exit") {
            println!("before the hang");
            std::process::Command::new("setsid").args(["sleep", "1000"]).status().unwrap();
        } }"#,
    );
    let report = course.desk(&["play", "1"], &[("COURSE_DEADLINE", "1")]).run();
    assert_eq!(report.code(), Some(1), "{report}");
    let output = report.stdout();
    let after = output.split("before the hang").nth(1).unwrap_or_else(|| panic!("{report}"));
    assert!(after.contains("did not end within 1s, so it was stopped"), "{output}");
    assert!(after.contains("(fork)"), "no word on where it waited: {output}");
    assert!(after.contains("Demo 9 of 9"), "the next have their turn: {output}");
    report.assert_nothing_left();
}

#[test]
fn ctrl_c_ends_the_demo_with_the_desk_and_so_does_sigkill() {
    // Two processes, each in a session of its own, that say they are there and live until somebody ends them.
    const STAY: &str = r#"fn main() {
        if std::env::args().nth(1).is_none() {
            std::process::Command::new("setsid").arg(std::env::current_exe().unwrap()).arg("2").spawn().unwrap();
        }
        let _here = std::os::unix::net::UnixStream::connect("here").unwrap();
        println!("here");
        loop { std::thread::park() }
    }"#;
    let course = SmallCourse::new("play-killed", STAY);
    let here = UnixListener::bind(course.root().join("here")).unwrap();
    for signal in ["INT", "KILL"] {
        // Not by the judge, which would end the two itself. Where the tests run in the background of a shell,
        // Ctrl-C is ignored, which the desk would inherit.
        let mut desk = Command::new("env")
            .args(["--default-signal=INT", env!("CARGO_BIN_EXE_course"), "play", "fork"])
            .env("CARGO_TARGET_DIR", course.root().join("target"))
            .env("COURSE_DEADLINE", "600")
            .current_dir(course.root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(desk.stdout.take().unwrap()).lines();
        let both = lines.filter(|line| line.as_deref().is_ok_and(|line| line == "here")).take(2);
        assert_eq!(both.count(), 2, "the desk ended before the demo was there");
        let mut two = [here.accept().unwrap().0, here.accept().unwrap().0];
        let kill = format!("kill -s {signal} {}", desk.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        assert!(!desk.wait().unwrap().success());
        for one in &mut two {
            one.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let end = one.read(&mut [0]);
            assert!(matches!(end, Ok(0)), "{signal}: still there after the desk's end: {end:?}");
        }
    }
}

#[test]
fn a_lesson_that_does_not_compile_is_told_as_that() {
    let course = SmallCourse::new("play-broken", "fn main() { broken }");
    let (code, said) = end(&course.desk(&["play", "fork"], &[]).run());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cannot find value `broken`"), "{said}");
    assert!(said.contains("does not compile, so there is nothing to play"), "{said}");
}

#[test]
fn a_deadline_that_is_no_number_is_refused_before_anything_runs() {
    for text in ["soon", "0", "-1"] {
        let report = desk(&root(), &["play", "fork"], &[("COURSE_DEADLINE", text)]).run();
        assert_eq!((report.code(), &*report.stdout()), (Some(2), ""), "{report}");
        assert!(report.stderr().contains("COURSE_DEADLINE"), "{report}");
    }
}

#[test]
fn on_a_terminal_each_demo_waits_for_enter_and_q_is_enough() {
    let course = SmallCourse::new("play-terminal", ECHO);
    let desk = course.desk(&["play", "fork"], &[("NO_COLOR", "1")]);
    let mut desk = desk.terminal(true).start();
    desk.wait_for_line(|line| line.starts_with("Look at: "));
    desk.write_stdin("\n");
    desk.wait_for_line(|line| line == "<>");
    desk.wait_for_line(|line| line.starts_with("Look at: "));
    desk.write_stdin("q\n");
    let report = desk.finish();
    report.assert_clean();
    assert!(!report.stdout().contains("<exit>"), "{report}");
    assert!(report.stdout().contains("Stopped here."), "{report}");
    assert_eq!(course.progress(), "", "what was broken off was not played to the end");
}

#[test]
fn the_end_of_the_input_on_a_terminal_is_enough_too() {
    let course = SmallCourse::new("play-eof", ECHO);
    let mut desk = course.desk(&["play", "fork"], &[]).terminal(true).start();
    desk.wait_for_line(|line| line.starts_with("Look at: "));
    desk.write_stdin("\x04"); // Ctrl-D
    let report = desk.finish();
    report.assert_clean();
    assert!(!report.stdout().contains("<>"), "{report}");
}

/// What the lessons print, in the order in which it must come, with `0` for every number.
const TRANSCRIPTS: &[&[&str]] = &[
    &["Process (0) start...", "I (0) just created a child process (0)."],
    &["I am child process (0) and my parent is 0."],
    &[
        "Parent process 0.",
        "Child process will start.",
        "Run child process test (0)...",
        "Child process end.",
    ],
    &["Parent process 0.", "Waiting for all subprocesses done...", "All subprocesses done."],
    &["Run task 0 (0)...", "Task 0 runs 0.0 seconds.", "All subprocesses done."],
    &["$ nslookup www.python.org", "$ nslookup"],
    &["with a lock: 0"],
    &["Hello, Alice (in Thread-A)", "Hello, Bob (in Thread-B)"],
];

#[test]
fn the_lessons_play_to_their_end_without_a_terminal() {
    let progress = ("COURSE_PROGRESS", "/dev/null");
    let desk = desk(&root().join("03-pool/src"), &["play"], &[progress, ("COURSE_DEADLINE", "60")]);
    let report = desk.deadline(Duration::from_secs(600)).run();
    report.assert_clean();
    let output = report.stdout();
    assert!(!output.contains('\x1b'), "{output}");
    let lines: Vec<String> = output.lines().map(without_numbers).collect();
    for transcript in TRANSCRIPTS {
        let mut rest = lines.iter();
        for expected in *transcript {
            assert!(
                rest.any(|line| line == expected),
                "no line {expected:?} in its place: {output}"
            );
        }
    }
}

/// Every number in `line` becomes `0`.
fn without_numbers(line: &str) -> String {
    let mut plain = String::new();
    for letter in line.chars() {
        match letter.is_ascii_digit() {
            false => plain.push(letter),
            true if !plain.ends_with('0') => plain.push('0'),
            true => {}
        }
    }
    plain
}
