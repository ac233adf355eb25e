//! `cargo course`: what it shows, and where it can be typed.

use std::fs;

use crate::support::{SmallCourse, desk, root};

const NOTHING: &str = "fn main() {}";

#[test]
fn the_map_shows_every_lesson_that_is_there_from_any_folder() {
    for folder in ["", "02-process", "03-pool/src", "course/judge"] {
        let seen = desk(&root().join(folder), &[], &[("COURSE_PROGRESS", "/nowhere/at/all")]);
        assert_eq!((seen.code, &*seen.err), (Some(0), ""), "in {folder}");
        for entry in fs::read_dir(root()).unwrap() {
            let entry = entry.unwrap().file_name().into_string().unwrap();
            let Some((number, lesson)) = entry.split_once('-') else { continue };
            if number.parse::<u8>().is_err() {
                continue;
            }
            let row = format!("  {number}  {lesson} ");
            assert!(seen.out.contains(&row), "in {folder}, no {row}:\n{}", seen.out);
        }
        assert!(seen.out.contains("cargo course play fork "), "in {folder}:\n{}", seen.out);
    }
}

#[test]
fn it_opens_where_the_learner_stands() {
    let course = SmallCourse::new("map-stands", NOTHING);
    course.write("02-process/Cargo.toml", "");
    let begin = course.desk(&[], &[]);
    assert!(begin.out.contains("Start here:\n  cargo course play fork "), "{}", begin.out);

    course.write("progress.txt", "solved what a later course had\nplayed fork\n");
    let next = course.desk(&[], &[]);
    assert!(next.out.contains("Next, process:\n  cargo course play process "), "{}", next.out);
    assert!(next.out.contains("become two?                 played\n"), "{}", next.out);

    course.write("progress.txt", "played process\nplayed fork\n");
    let end = course.desk(&[], &[]);
    assert!(end.out.contains("You have played all that there is."), "{}", end.out);
}

#[test]
fn a_lesson_that_is_not_written_is_not_promised() {
    let course = SmallCourse::new("map-missing", NOTHING);
    let map = course.desk(&[], &[]).out;
    assert!(map.contains("Not written yet: process, pool, "), "{map}");
    let play = course.desk(&["play", "9"], &[]);
    assert_eq!(play.code, Some(2));
    assert!(play.err.contains("lesson 09, distributed, is not written yet"), "{}", play.err);
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
        (&["play", "fork", "pool"], "one lesson too many"),
        (&["bench", "folk"], "there is no lesson `folk`; did you mean fork?"),
    ] {
        let seen = desk(&root(), args, &[]);
        assert_eq!((seen.code, &*seen.out), (Some(2), ""), "{args:?}: {}", seen.err);
        assert!(seen.err.contains(answer), "{args:?}: {}", seen.err);
        assert!(seen.err.contains("`cargo course --help`"), "{args:?}: {}", seen.err);
    }
}

#[test]
fn outside_of_the_course_it_says_where_to_go() {
    // The desk itself lies below the course in a usual build, and would find it from there.
    let away = SmallCourse::new("map-away", NOTHING);
    let copy = std::env::temp_dir().join(format!("desk-{}", std::process::id()));
    fs::create_dir_all(&copy).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_course"), copy.join("course")).unwrap();
    let run = |vars: &[(&str, &str)]| {
        std::process::Command::new(copy.join("course"))
            .current_dir(&copy)
            .env_remove("CARGO_MANIFEST_DIR")
            .envs(vars.iter().copied())
            .output()
            .unwrap()
    };
    let lost = run(&[]);
    let package = away.root().join("course");
    let found = run(&[("CARGO_MANIFEST_DIR", package.to_str().unwrap())]);
    fs::remove_dir_all(&copy).unwrap();
    assert_eq!(lost.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&lost.stderr).contains("go into it"), "{lost:?}");
    assert!(String::from_utf8_lossy(&found.stdout).contains("Start here:"), "{found:?}");
}

#[test]
fn the_help_fits_eighty_columns_and_so_does_the_map() {
    for args in [&["--help"][..], &["help"], &["play", "--help"], &[]] {
        let seen = desk(&root(), args, &[]);
        assert_eq!((seen.code, &*seen.err), (Some(0), ""), "{args:?}");
        assert!(seen.out.lines().count() > 10, "{args:?}: {}", seen.out);
        for line in seen.out.lines() {
            assert!(line.chars().count() <= 80, "{args:?}: {line}");
            assert!(!line.contains('\x1b'), "{args:?}: colour without a terminal: {line:?}");
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for args in [&[][..], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_course"))
            .args(args)
            .current_dir(root())
            .stdout(writer)
            .output()
            .unwrap();
        assert!(run.status.success() && run.stderr.is_empty(), "{args:?}: {run:?}");
    }
}
