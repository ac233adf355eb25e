//! How long a learner waits from a save to the verdict: a measurement, for a machine that has nothing else to do.
//!
//! ```text
//! cargo test --package course --test desk -- --ignored --nocapture from_a_save_to_the_verdict
//! ```
//!
//! The course is handed out into a folder of its own, and one `cargo course watch` takes a learner who always saves the
//! right answer from the first exercise to the last. What is timed is the whole way: the file's change is noticed, cargo
//! and the compiler run, the program is linked, its cases are tried one by one. The first walk builds what they need;
//! in each further one the answer has another comment, so that it is compiled again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use judge::Running;

use crate::support::{desk, root};

/// What is asked of the median over all exercises.
const MOST: Duration = Duration::from_millis(1000);

#[test]
#[ignore = "a measurement: minutes to build, then a minute that needs both processors"]
fn from_a_save_to_the_verdict_it_takes_a_second_at_most() {
    let walks = std::env::var("COURSE_WALKS").ok().and_then(|it| it.parse().ok()).unwrap_or(3);
    let course = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pace");
    fs::create_dir_all(&course).expect("a folder");
    hand_out(&course);
    let exercises = exercises();
    let mut times = vec![Vec::new(); exercises.len()];
    for walk in 0..=walks {
        for (exercise, time) in walk_through(&course, &exercises, walk).into_iter().enumerate() {
            if walk > 0 {
                times[exercise].push(time);
            }
        }
    }
    let medians: Vec<Duration> = times.into_iter().map(median).collect();
    for (exercise, time) in exercises.iter().zip(&medians) {
        println!("{:5} ms  {}", time.as_millis(), exercise.display());
    }
    let all = median(medians);
    println!("{:5} ms  median of all {}", all.as_millis(), exercises.len());
    assert!(walks == 0 || all <= MOST, "it takes {all:?}; asked are {MOST:?} at most");
}

/// Solves all of them once, in the order of the course, and says how long each verdict took.
fn walk_through(course: &Path, exercises: &[PathBuf], walk: usize) -> Vec<Duration> {
    let progress = course.join("progress.txt");
    let _ = fs::remove_file(&progress);
    // Watching begins with a look at the answer as it is: that must not pass.
    let stub = |exercise: &Path| fs::read_to_string(root().join(exercise).join("stub.rs"));
    let first = course.join(&exercises[0]).join("answer.rs");
    fs::write(first, stub(&exercises[0]).expect("a stub")).expect("a file");
    let target = course.join("target");
    let vars = [("CARGO_TARGET_DIR", target.to_str().expect("our folders' names are text"))];
    let watch = desk(course, &["watch"], &vars).terminal(true).deadline(Duration::from_secs(1200));
    let mut watch = watch.start();
    watch.wait_for_line(|line| line.starts_with("Watching"));
    let times = exercises.iter().enumerate().map(|(at, exercise)| {
        if at > 0 {
            watch.wait_for_line(|line| line.contains("cargo course hint"));
        }
        verdict(&mut watch, course, exercise, walk)
    });
    let times = times.collect();
    watch.finish().assert_clean();
    times
}

fn verdict(watch: &mut Running, course: &Path, exercise: &Path, walk: usize) -> Duration {
    let solution = fs::read_to_string(root().join(exercise).join("solution.rs"));
    let comment = "// Another line.\n".repeat(walk);
    let answer = format!("{comment}{}", solution.expect("a solution"));
    let begin = Instant::now();
    fs::write(course.join(exercise).join("answer.rs"), answer).expect("a file");
    watch.wait_for_line(|line| line == "All promises are kept.");
    begin.elapsed()
}

/// Brings the handed out course up to date. A file that is as it must be stays, and so does what was built of it.
fn hand_out(course: &Path) {
    let new = course.with_extension("new");
    let _ = fs::remove_dir_all(&new);
    let folder = new.to_str().expect("our folders' names are text");
    desk(&root(), &["handout", folder], &[]).run().assert_clean();
    let mut folders = vec![new.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let from = entry.path();
            let to = course.join(from.strip_prefix(&new).expect("a file below it"));
            if from.is_dir() {
                fs::create_dir_all(to).expect("a folder");
                folders.push(from);
            } else if fs::read(&from).ok() != fs::read(&to).ok() {
                fs::rename(from, to).expect("a file in its place");
            }
        }
    }
    let _ = fs::remove_dir_all(&new);
}

/// Their folders, below the course's.
fn exercises() -> Vec<PathBuf> {
    let listed = desk(&root(), &["list"], &[]).run().stdout();
    let ids = listed.split_whitespace().filter(|word| word.contains('/'));
    let lessons: Vec<String> = fs::read_dir(root())
        .expect("the course's folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    ids.filter_map(|id| {
        let (lesson, name) = id.split_once('/')?;
        let folder = lessons.iter().find(|folder| folder.get(3..) == Some(lesson))?;
        Some(Path::new(folder).join("exercises").join(name))
    })
    .collect()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
