//! `cargo course`: what it shows, and where it can be typed.

use std::{env, fs, process};

use crate::support::{SmallCourse, desk, end, root};

const NOTHING: &str = "fn main() {}";

/// Everything went well and nothing was complained of.
const WELL: (Option<i32>, String) = (Some(0), String::new());

#[test]
fn the_map_shows_every_lesson_that_is_there_from_any_folder() {
    for folder in ["", "02-process", "03-pool/src", "course/judge"] {
        let vars = [("COURSE_PROGRESS", "/nowhere/at/all")];
        let report = desk(&root().join(folder), &[], &vars).run();
        assert_eq!(end(&report), WELL, "in {folder}");
        let map = report.stdout();
        for entry in fs::read_dir(root()).unwrap() {
            let entry = entry.unwrap().file_name().into_string().unwrap();
            let Some((number, lesson)) = entry.split_once('-') else { continue };
            if number.parse::<u8>().is_ok() {
                let row = format!("  {number}  {lesson} ");
                assert!(map.contains(&row), "in {folder}, no {row}:\n{map}");
            }
        }
        assert!(map.contains("cargo course play fork "), "in {folder}:\n{map}");
    }
}

#[test]
fn it_opens_where_the_learner_stands() {
    let course = SmallCourse::new("map-stands", NOTHING);
    course.write("02-process/Cargo.toml", "");
    let map = || course.desk(&[], &[]).run().stdout();
    let begin = map();
    assert!(begin.contains("Start here:\n  cargo course play fork "), "{begin}");

    course.write("progress.txt", "solved what a later course had\nplayed fork\n");
    let next = map();
    assert!(next.contains("Next, process:\n  cargo course play process "), "{next}");
    let row = next.lines().find(|line| line.starts_with("  01  fork ")).unwrap();
    assert!(row.ends_with(" played"), "{next}");

    course.write("progress.txt", "played process\nplayed fork\n");
    let finish = map();
    assert!(finish.contains("You have played all that there is."), "{finish}");
}

#[test]
fn a_lesson_that_is_not_written_is_not_promised() {
    let course = SmallCourse::new("map-missing", NOTHING);
    let map = course.desk(&[], &[]).run().stdout();
    assert!(map.contains("Not written yet: process, pool, "), "{map}");
    let play = course.desk(&["play", "9"], &[]).run();
    assert_eq!(play.code(), Some(2), "{play}");
    assert!(play.stderr().contains("lesson 09, distributed, is not written yet"), "{play}");
}

#[test]
fn wrong_usage_is_told_with_what_was_probably_meant_and_exits_with_2() {
    for (args, answer) in [
        (&["paly"][..], "there is no command `paly`; did you mean `play`?"),
        (&["pool"], "`pool` is a lesson, not a command; did you mean `cargo course play pool`?"),
        (&["03-pool"], "did you mean `cargo course play pool`?"),
        (&["banana"], "there is no command `banana`"),
        (&["--banana"], "'--banana'"),
        (&["play", "pol"], "there is no lesson `pol`; did you mean pool?"),
        (&["play", "banana"], "there is no lesson `banana`; there is fork, process, "),
        (&["play", "0"], "there is no lesson `0`; there is fork, "),
        (&["play", "fork", "pool"], "one too many"),
        (&["bench", "folk"], "there is no lesson `folk`; did you mean fork?"),
    ] {
        let report = desk(&root(), args, &[]).run();
        let (code, said) = end(&report);
        assert_eq!((code, &*report.stdout()), (Some(2), ""), "{args:?}: {said}");
        assert!(said.contains(answer), "{args:?}: {said}");
        assert!(said.contains("`cargo course --help`"), "{args:?}: {said}");
    }
}

#[test]
fn outside_of_the_course_it_says_where_to_go() {
    let course = SmallCourse::new("map-outside", NOTHING);
    // The desk usually lies in the course's target folder, and would find the course from there.
    let away = env::temp_dir().join(format!("desk-{}", process::id()));
    fs::create_dir_all(&away).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_course"), away.join("desk")).unwrap();
    let desk = || judge::Judge::program(away.join("desk")).dir(&away).env("COURSE_PROGRESS", "");
    let lost = desk().env("CARGO_MANIFEST_DIR", "").run();
    let found = desk().env("CARGO_MANIFEST_DIR", course.root().join("course")).run();
    fs::remove_dir_all(&away).unwrap();
    assert_eq!(lost.code(), Some(1), "{lost}");
    assert!(lost.stderr().contains("go into it"), "{lost}");
    assert!(found.stdout().contains("Start here:"), "{found}");
}

#[test]
fn the_help_fits_eighty_columns_and_so_does_the_map() {
    for args in [&["--help"][..], &["help"], &["play", "--help"], &[]] {
        let report = desk(&root(), args, &[]).run();
        assert_eq!(end(&report), WELL, "{args:?}");
        let text = report.stdout();
        assert!(text.lines().count() > 10, "{args:?}: {text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{args:?}: {line}");
        }
    }
}

#[test]
fn colour_is_for_terminals_and_not_where_it_is_unwanted() {
    let coloured = |terminal: bool, vars: &[(&str, &str)]| {
        let vars = [&[("TERM", "xterm"), ("NO_COLOR", "")], vars].concat();
        let report = desk(&root(), &[], &vars).terminal(terminal).run();
        assert_eq!(end(&report), WELL);
        report.stdout().contains('\x1b')
    };
    assert!(coloured(true, &[]));
    assert!(!coloured(false, &[]));
    assert!(!coloured(true, &[("NO_COLOR", "1")]));
    assert!(!coloured(true, &[("TERM", "dumb")]));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    // The shell waits for the reader to be gone before it becomes the desk: every write fails, each time.
    let gone = "exec > >(exec true); wait $!; exec \"$@\"";
    for args in [&[][..], &["--help"]] {
        let desk = [&[env!("CARGO_BIN_EXE_course")], args].concat();
        let shell = judge::Judge::program("/bin/bash").args(["-c", gone, "bash"]).args(desk);
        assert_eq!(end(&shell.dir(root()).run()), WELL, "{args:?}");
    }
}
