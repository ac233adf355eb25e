//! Why is it stuck? A test for each typical hang.
//!
//! Each scenario says that it is about to hang, with the numbers that the sentence must contain; the
//! test asks until the sentence is there.

mod deadlocks;
mod descriptors;
mod others;
mod processes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use judge::{Judge, Scenario};

/// How long a scenario may take until it hangs as it should.
const PATIENCE: Duration = Duration::from_secs(20);

/// Says that the hang comes now: `ready(&[("child", 814)])`.
fn ready(numbers: &[(&str, i64)]) {
    let words: Vec<String> =
        numbers.iter().map(|(name, number)| format!(" {name}={number}")).collect();
    println!("ready{}", words.concat());
}

fn pid() -> i64 {
    std::process::id().into()
}

fn tid() -> i64 {
    nix::unistd::gettid().as_raw().into()
}

/// Waits until all that is wanted is in the explanation of one look. `{name}` stands for a number
/// that the scenario told, `{main}` for its pid. Returns the lines.
#[track_caller]
fn says(scenario: &Scenario, wanted: &[&str]) -> Vec<String> {
    program_says(Judge::scenario(scenario), wanted)
}

#[track_caller]
fn program_says(judge: Judge, wanted: &[&str]) -> Vec<String> {
    let mut running = judge.deadline(2 * PATIENCE).start();
    let line = running.wait_for_line(|line| line.starts_with("ready"));
    let mut numbers = BTreeMap::from([("main".to_owned(), running.pid().to_string())]);
    for word in line.split_whitespace().skip(1) {
        let (name, number) = word.split_once('=').expect("name=number");
        numbers.insert(name.to_owned(), number.to_owned());
    }
    let filled = |text: &&str| {
        numbers.iter().fold((*text).to_owned(), |text, (name, number)| {
            text.replace(&format!("{{{name}}}"), number)
        })
    };
    let wanted: Vec<String> = wanted.iter().map(filled).collect();
    let until = Instant::now() + PATIENCE;
    loop {
        let said = running.explain();
        if wanted.iter().all(|it| said.contains(it.as_str())) {
            return said.lines().map(str::to_owned).collect();
        }
        assert!(Instant::now() < until, "wanted:\n{}\nsaid:\n{said}", wanted.join("\n"));
    }
}

/// Whether the line with the first text comes before that with the second.
#[track_caller]
fn comes_before(lines: &[String], first: &str, second: &str) {
    let place = |text: &str| lines.iter().position(|line| line.contains(text));
    assert!(place(first).is_some() && place(first) < place(second), "{}", lines.join("\n"));
}

/// Python, or a note that it is not there.
fn python() -> Option<PathBuf> {
    find("python3")
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|it| it.join(name)).find(|it| it.exists());
    if found.is_none() {
        eprintln!("NOT TESTED: there is no {name}");
    }
    found
}
