//! A large class, graded: a measurement, and every one of its marks looked at.
//!
//! ```text
//! COURSE_CLASS=200 cargo test --package course --features teacher --test grade -- --ignored --nocapture
//! ```
//!
//! Everybody hands in four exercises. Half of the answers are right ones that the checks are proven on; the others are
//! wrong ones, stubs, some that don't compile and some that are not there; and every tenth learner is hostile. No two
//! answers are alike, but for those that are copied from a neighbour.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Class;

const EXERCISES: &[(&str, &str)] = &[
    ("fork/1-exit-code", "01-fork/exercises/1-exit-code"),
    ("subprocess/2-communicate", "04-subprocess/exercises/2-communicate"),
    ("threads/1-par-map", "06-threads/exercises/1-par-map"),
    ("lock/1-transfer", "07-lock/exercises/1-transfer"),
];

/// What is done in place of the task; none of it is worth a point.
const HOSTILE: &[&str] = &[
    "loop { std::hint::spin_loop(); }",
    "loop { println!(\"kept\"); }",
    "std::process::exit(0)",
    "std::process::abort()",
    "loop { let _ = std::process::Command::new(\"sleep\").arg(\"1000\").spawn(); }",
    "{ let mut hog = Vec::new(); loop { hog.push(vec![1u8; 1 << 24]); } }",
    "{ let _ = std::process::Command::new(\"kill\").args([\"-9\", \"-1\"]).status(); loop { std::thread::park(); } }",
];

/// What must come of an answer.
#[derive(Debug, Clone, PartialEq)]
enum Mark {
    Missing,
    NotCompiled,
    NotFilledIn,
    AllPoints,
    NoPoints,
    /// The promise that is not kept, and a part of what is said of it.
    Refused(String, String),
}

/// One kind of answer to an exercise: its text, none if there is no file, and its mark.
type Kind = (Option<String>, Mark);

#[test]
#[ignore = "a measurement: minutes, for COURSE_CLASS learners, 200 without it"]
fn a_large_class_is_graded_and_every_mark_is_right() {
    let size: usize =
        std::env::var("COURSE_CLASS").ok().and_then(|it| it.parse().ok()).unwrap_or(200);
    let class = Class::new("large-class");
    let expected = hand_in(&class, size);
    let ids: Vec<&str> = EXERCISES.iter().map(|(id, _)| *id).collect();

    let begin = Instant::now();
    let (output, rows) = class.rows(&ids, Duration::from_secs(3600));
    let minutes = begin.elapsed().as_secs_f64() / 60.0;
    let answers = rows.len();
    println!("{}", output.lines().last().unwrap_or_default());
    println!("{answers} marks in {minutes:.1} minutes: {:.0} a minute", answers as f64 / minutes);

    assert_eq!(answers, expected.len());
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
            let mark = expected.get(&(text("learner"), text("exercise")))?;
            (!fits(row, mark)).then(|| format!("{mark:?} was expected of {row:#}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} marks are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn hand_in(class: &Class, size: usize) -> BTreeMap<(String, String), Mark> {
    let mut expected = BTreeMap::new();
    for (at, (id, folder)) in EXERCISES.iter().enumerate() {
        let [right, others, hostile] = kinds(folder);
        for learner in 0..size {
            let name = format!("learner-{learner:03}");
            // Each fifth has another's, to the byte.
            let author = if learner % 5 == 4 { learner - 1 } else { learner };
            let (answer, mark) = match author % 10 {
                7 => &hostile[(author / 10 + at) % hostile.len()],
                0 | 2 | 6 | 8 => &right[author / 2 % right.len()],
                _ => &others[(author / 2 + at * 7) % others.len()],
            };
            if let Some(answer) = answer {
                let answer = format!("// By {author}.\n{answer}");
                class.hand_in(&name, &format!("{folder}/answer.rs"), &answer);
            } else {
                class.hand_in(&name, "README.md", "I was ill.");
            }
            expected.insert((name, (*id).to_owned()), mark.clone());
        }
    }
    expected
}

/// Right ones, others, hostile ones.
fn kinds(folder: &str) -> [Vec<Kind>; 3] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let read = |path: &Path| fs::read_to_string(path).expect("an answer");
    let all = |name: &str| {
        let entries = fs::read_dir(folder.join(name)).expect("a folder").flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths.into_iter().map(|path| read(&path))
    };
    let (solution, stub) = (read(&folder.join("solution.rs")), read(&folder.join("stub.rs")));
    let broken = solution.replacen('{', "{{", 1);
    let right = all("right").chain([solution]).map(|answer| (Some(answer), Mark::AllPoints));
    let hostile = HOSTILE.iter().map(|deed| {
        let answer = stub.replacen("todo!(\"your code\")", deed, 1);
        (Some(answer), Mark::NoPoints)
    });
    let (right, hostile) = (right.collect(), hostile.collect());
    let mut others: Vec<Kind> = all("wrong").map(refused).collect();
    others.push((None, Mark::Missing));
    others.push((Some(broken), Mark::NotCompiled));
    others.push((Some(stub), Mark::NotFilledIn));
    [right, others, hostile]
}

/// A wrong answer says in its first lines who must refuse it.
fn refused(answer: String) -> Kind {
    let line = |start: &str| {
        answer.lines().find_map(|line| line.strip_prefix(start)).expect(start).trim().to_owned()
    };
    let mark = Mark::Refused(line("// Refused by:").replace('_', " "), line("// Told:"));
    (Some(answer), mark)
}

fn fits(row: &Value, mark: &Mark) -> bool {
    let (state, points) = (row["state"].as_str().unwrap_or_default(), row["points"].as_u64());
    match mark {
        Mark::Missing => state == "missing",
        Mark::NotCompiled => state == "not compiled",
        Mark::NotFilledIn => state == "not filled in",
        Mark::AllPoints => state == "judged" && points == row["of"].as_u64(),
        Mark::NoPoints => state == "judged" && points == Some(0),
        Mark::Refused(promise, told) => {
            let checks = row["checks"].as_array();
            checks.into_iter().flatten().any(|check| {
                let text = |field: &str| check[field].as_str().unwrap_or_default();
                text("promise") == promise && text("mistake").contains(told.as_str())
            })
        }
    }
}
