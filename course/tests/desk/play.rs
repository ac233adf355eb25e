//! `cargo course play`: demos that end well, fail, hang, and leave something behind.

use crate::support::{SmallCourse, desk, root};

#[test]
fn each_demo_comes_between_what_to_look_at_and_what_was_seen() {
    let course = SmallCourse::new(
        "play-order",
        r#"fn main() { println!("<{}>", std::env::args().skip(1).collect::<String>()) }"#,
    );
    let seen = course.desk(&["play", "fork"], &[]);
    assert_eq!(seen.code, Some(0), "{}", seen.err);
    let mut rest = &*seen.out;
    for demo in ["", "exit", "zombie", "orphan", "buffer", "cow", "threads", "lock", "tree"] {
        for part in ["\nLook at: ", &format!("\n\n<{demo}>\n\n"), "Seen: "] {
            let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} for {demo} in {rest}"));
            rest = &rest[at + part.len()..];
        }
    }
    assert_eq!(course.progress(), "played fork\n");
    course.desk(&["play"], &[]);
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
    let seen = course.desk(&["play", "1"], &[]);
    assert_eq!(seen.code, Some(1));
    assert_eq!(seen.out.matches("\nwell\n").count(), 7, "{}", seen.out);
    assert!(seen.out.contains("did not end well: exit code 3"), "{}", seen.out);
    assert!(seen.out.contains("did not end well: signal 6"), "{}", seen.out);
    let named = "cargo run -p fork -- zombie; cargo run -p fork -- orphan";
    assert!(seen.err.contains(named), "{}", seen.err);
    assert_eq!(course.progress(), "");
}

#[test]
fn a_lesson_that_does_not_compile_is_told_as_that() {
    let course = SmallCourse::new("play-broken", "fn main() { broken }");
    let seen = course.desk(&["play", "fork"], &[]);
    assert_eq!(seen.code, Some(1));
    assert!(seen.err.contains("cannot find value `broken`"), "{}", seen.err);
    assert!(seen.err.contains("does not compile, so there is nothing to play"), "{}", seen.err);
}

#[test]
fn a_deadline_that_is_no_number_is_refused_before_anything_runs() {
    for text in ["soon", "0", "-1"] {
        let seen = desk(&root(), &["play", "fork"], &[("COURSE_DEADLINE", text)]);
        assert_eq!((seen.code, &*seen.out), (Some(2), ""), "{}", seen.err);
        assert!(seen.err.contains("COURSE_DEADLINE"), "{}", seen.err);
    }
}
