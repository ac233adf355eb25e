//! Exercises at the desk: what it says of an answer, and what it remembers.

use std::fs;

use crate::support::{SmallCourse, end};

const PASSES: &str = "pub fn main() { println!(\"1 of 1  it is done  kept\"); }\n";
const IS_REFUSED: &str = "pub fn main() {
    println!(\"1 of 2  it is done  kept\\n2 of 2  no leak  BROKEN\\n\\nyou forgot to close it\");
    std::process::exit(1);
}
";
const STUB: &str = "pub fn main() { std::process::exit(3) }\n";

fn course(name: &str, answers: &[(&str, &str)]) -> SmallCourse {
    let course = SmallCourse::new(name, "fn main() {}\n");
    for (exercise, answer) in answers {
        course.exercise(exercise, answer);
    }
    course
}

/// What the desk prints, and its exit code.
fn says(course: &SmallCourse, args: &[&str]) -> (String, Option<i32>) {
    let report = course.desk(args, &[]).run();
    report.assert_nothing_left();
    assert!(!report.stdout().contains('\x1b'), "no colour without a terminal: {report}");
    (report.stdout(), report.code())
}

#[test]
fn an_answer_that_passes_is_remembered_and_the_next_one_is_shown() {
    let course = course("exercise-passes", &[("1-one", PASSES), ("2-two", STUB)]);
    let (output, code) = says(&course, &["check"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("fork/1-one: The title of 1-one"), "{output}");
    assert!(output.contains("All promises are kept."), "{output}");
    assert_eq!(course.progress(), "passed fork/1-one\n");
    let (output, _) = says(&course, &["list"]);
    assert!(output.contains("   passed  fork/1-one "), "{output}");
    assert!(output.contains("   open    fork/2-two "), "{output}");
    assert!(output.contains("1 of 2 passed"), "{output}");
    let (output, _) = says(&course, &["next"]);
    assert!(output.contains("fork/2-two") && output.contains("Do it."), "{output}");
    assert!(output.contains("01-fork/exercises/2-two/answer.rs"), "{output}");
}

#[test]
fn an_answer_that_is_refused_or_empty_or_does_not_compile_fails_and_is_told_apart() {
    let answers = [("1-one", IS_REFUSED), ("2-two", STUB), ("3-three", "pub fn main( {}\n")];
    let course = course("exercise-fails", &answers);
    let (output, code) = says(&course, &["check", "fork/1"]);
    assert!(code == Some(1) && output.contains("you forgot to close it"), "{output}");
    assert!(output.contains("cargo course hint fork/1"), "{output}");
    let (output, code) = says(&course, &["check", "fork/2"]);
    assert!(code == Some(1) && output.contains("Edit 01-fork/exercises/2-two"), "{output}");
    let report = course.desk(&["check", "fork/3"], &[]).run();
    assert_eq!(report.code(), Some(1), "{report}");
    assert!(report.stdout().contains("It does not compile."), "{report}");
    assert!(report.stderr().contains("exercises/3-three/answer.rs:1"), "{report}");
    assert_eq!(course.progress(), "");
}

#[test]
fn a_check_that_says_nothing_is_no_pass() {
    let course = course("exercise-silent", &[("1-one", "pub fn main() {}\n")]);
    let (output, code) = says(&course, &["check"]);
    assert_eq!(code, Some(1), "{output}");
    assert_eq!(course.progress(), "");
}

#[test]
fn a_mistake_that_is_recognised_picks_the_hint_and_then_they_come_in_order() {
    let course = course("exercise-hints", &[("1-one", IS_REFUSED)]);
    for expected in ["Leaks.", "First.", "Second. Its rest.", "Third.", "no more hints"] {
        let (output, _) = says(&course, &["hint"]);
        assert!(output.contains(expected), "{expected}: {output}");
    }
}

#[test]
fn the_solution_is_shown_to_who_passed_or_asks_twice() {
    let course = course("exercise-diff", &[("1-one", IS_REFUSED), ("2-two", PASSES)]);
    let (output, _) = says(&course, &["diff", "fork/1"]);
    assert!(!output.contains("solved()"), "{output}");
    let (output, _) = says(&course, &["diff", "fork/1"]);
    assert!(
        output.contains("+     solved();") && output.contains("-     std::process"),
        "{output}"
    );
    says(&course, &["check", "fork/2"]);
    let (output, _) = says(&course, &["diff", "fork/2"]);
    assert!(output.contains("+     solved();"), "{output}");
}

#[test]
fn a_reset_keeps_every_answer_beside_the_stub() {
    let course = course("exercise-reset", &[("1-one", PASSES)]);
    let kept = |number: u8| {
        let path = course.answer("1-one").with_file_name(format!("answer.kept-{number}.rs"));
        fs::read_to_string(path).unwrap_or_default()
    };
    let (output, code) = says(&course, &["reset", "fork/1"]);
    assert_eq!(code, Some(0), "{output}");
    assert_eq!(fs::read_to_string(course.answer("1-one")).expect("an answer"), STUB);
    assert_eq!(kept(1), PASSES);
    fs::write(course.answer("1-one"), IS_REFUSED).expect("a file");
    says(&course, &["reset", "fork/1"]);
    assert_eq!((kept(1).as_str(), kept(2).as_str()), (PASSES, IS_REFUSED));
    let (output, _) = says(&course, &["reset", "fork/1"]);
    assert!(output.contains("nothing to reset") && kept(3).is_empty(), "{output}");
}

#[test]
fn an_exercise_is_found_under_every_name_that_one_would_type() {
    let course = course("exercise-names", &[("1-one-two", STUB)]);
    for name in [
        "fork/1",
        "1/1",
        "01-fork/1",
        "fork/one-two",
        "one-two",
        "1-one-two",
        "Fork/1-one-two",
        "01-fork/exercises/1-one-two/",
        "./01-fork/exercises/1-one-two/answer.rs",
    ] {
        let (output, code) = says(&course, &["next", name]);
        assert_eq!(code, Some(0), "{name}: {output}");
    }
    for (name, told) in [
        ("fork/2", "there is no exercise"),
        ("fork", "is a lesson; its exercises are fork/1-one-two"),
        ("fork/1-one-tow", "did you mean fork/1-one-two?"),
    ] {
        let (code, stderr) = end(&course.desk(&["next", name], &[]).run());
        assert!(code == Some(2) && stderr.contains(told), "{name}: {stderr}");
    }
}

#[test]
fn a_save_is_checked_at_once_and_ctrl_c_leaves_nothing_running() {
    let course = course("exercise-watch", &[("1-one", IS_REFUSED), ("2-two", STUB)]);
    let mut desk = course.desk(&["watch"], &[]).terminal(true).start();
    desk.wait_for_line(|line| line.contains("you forgot to close it"));
    desk.wait_for_line(|line| line.starts_with("Watching"));
    // As an editor saves: another file in the place of the old one.
    let new = course.answer("1-one").with_extension("new");
    fs::write(&new, PASSES).expect("a file");
    fs::rename(&new, course.answer("1-one")).expect("a file in its place");
    desk.wait_for_line(|line| line.contains("All promises are kept."));
    desk.wait_for_line(|line| line.contains("fork/2-two: The title of 2-two"));
    desk.wait_for_line(|line| line.contains("cargo course hint fork/2"));
    // And as another editor does: written in place.
    fs::write(course.answer("2-two"), PASSES).expect("a file");
    desk.wait_for_line(|line| line.contains("You have solved all that there are."));
    let report = desk.finish();
    report.assert_clean();

    let endless = "pub fn main() { println!(\"begun\"); loop { std::thread::park() } }\n";
    fs::write(course.answer("2-two"), endless).expect("a file");
    let mut desk = course.desk(&["watch", "fork/2"], &[]).terminal(true).start();
    desk.wait_for_line(|line| line == "begun");
    desk.signal_group(2); // Ctrl-C
    let report = desk.finish();
    assert_eq!(report.signal(), Some(2), "{report}");
    report.assert_nothing_left();
}
