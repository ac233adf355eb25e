//! The marks, for people and for programs.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::json;

use super::marks::Mark;
use super::shown;
use crate::page::Page;
use crate::stop::Stop;

/// What marks can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A line for each learner and exercise.
    Csv,
    /// Everything, check by check.
    Json,
    /// JUnit XML: a suite for each learner.
    Junit,
    /// A folder, with a `results.json` of Gradescope's form for each learner.
    Gradescope,
}

/// The class, a line for each learner, and what went wrong most often.
///
/// # Errors
///
/// [`Stop::Output`] if nobody reads it.
pub(crate) fn table(page: &mut Page, marks: &[Mark]) -> Result<(), Stop> {
    let learners = by_learner(marks);
    let width = learners.keys().map(|name| name.chars().count()).max().unwrap_or(0).max(7);
    page.title(&format!("{:<width$}  points  what is not kept", "learner"))?;
    for (learner, marks) in &learners {
        let points: usize = marks.iter().map(|mark| mark.points()).sum();
        let most: usize = marks.iter().map(|mark| mark.most()).sum();
        let open: Vec<String> = marks
            .iter()
            .filter(|mark| mark.points() < mark.most())
            .map(|mark| match mark.state.word() {
                "judged" => format!("{} {}/{}", mark.exercise, mark.points(), mark.most()),
                word => format!("{} {word}", mark.exercise),
            })
            .collect();
        let count = format!("{points}/{most}");
        page.raw(&format!("{learner:<width$}  {count:>6}  {}\n", open.join(", ")))?;
    }
    let mut mistakes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for mark in marks.iter().filter(|mark| mark.state.word() == "judged") {
        if let Some(mistake) = mark.mistake() {
            *mistakes.entry((&mark.exercise, mistake)).or_default() += 1;
        }
    }
    let mut mistakes: Vec<_> = mistakes.into_iter().collect();
    mistakes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    if !mistakes.is_empty() {
        page.raw("\n")?;
        page.title("The most common mistakes")?;
    }
    for ((exercise, mistake), count) in mistakes.into_iter().take(10) {
        page.paragraph("", &format!("{count} times, {exercise}: {mistake}"))?;
    }
    Ok(())
}

/// Writes the marks.
///
/// # Errors
///
/// [`Stop::Failed`] if that is not possible.
pub(crate) fn write(format: Format, path: &Path, marks: &[Mark]) -> Result<(), Stop> {
    let written = match format {
        Format::Csv => csv(path, marks),
        Format::Json => fs::write(path, json(marks)),
        Format::Junit => junit(path, marks),
        Format::Gradescope => gradescope(path, marks),
    };
    written.map_err(|error| Stop::Failed(format!("cannot write {}: {error}", shown(path))))
}

fn by_learner(marks: &[Mark]) -> BTreeMap<&str, Vec<&Mark>> {
    let mut learners: BTreeMap<&str, Vec<&Mark>> = BTreeMap::new();
    for mark in marks {
        learners.entry(&mark.learner).or_default().push(mark);
    }
    learners
}

fn csv(path: &Path, marks: &[Mark]) -> io::Result<()> {
    let mut file = csv::Writer::from_path(path)?;
    file.write_record(["learner", "exercise", "points", "of", "state", "first mistake"])?;
    for mark in marks {
        let (points, most) = (mark.points().to_string(), mark.most().to_string());
        let mistake = mark.mistake().unwrap_or_default();
        let row = [&mark.learner, &mark.exercise, &points, &most, mark.state.word(), mistake];
        // A spreadsheet takes what begins so for a formula, and runs it.
        file.write_record(row.map(|field| match field.starts_with(['=', '+', '-', '@']) {
            true => format!("'{field}"),
            false => field.to_owned(),
        }))?;
    }
    file.flush()
}

fn json(marks: &[Mark]) -> String {
    let rows: Vec<_> = marks
        .iter()
        .map(|mark| {
            let checks: Vec<_> = mark
                .checks
                .iter()
                .map(|check| {
                    json!({
                        "promise": check.promise,
                        "kept": check.mistake.is_none(),
                        "mistake": check.mistake,
                    })
                })
                .collect();
            json!({
                "learner": mark.learner,
                "exercise": mark.exercise,
                "points": mark.points(),
                "of": mark.most(),
                "state": mark.state.word(),
                "checks": checks,
            })
        })
        .collect();
    format!("{:#}\n", json!(rows))
}

fn junit(path: &Path, marks: &[Mark]) -> io::Result<()> {
    let mut report = Report::new("course");
    for (learner, marks) in by_learner(marks) {
        let mut suite = TestSuite::new(learner);
        for mark in marks {
            for check in &mark.checks {
                let status = match &check.mistake {
                    None => TestCaseStatus::success(),
                    Some(mistake) => {
                        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                        status.set_message(mistake.as_str());
                        status
                    }
                };
                let mut case = TestCase::new(check.promise.as_str(), status);
                case.set_classname(mark.exercise.as_str());
                suite.add_test_case(case);
            }
        }
        report.add_test_suite(suite);
    }
    fs::write(path, report.to_string().map_err(io::Error::other)?)
}

/// Gradescope takes one file for each submission: `FOLDER/LEARNER/results.json`.
fn gradescope(folder: &Path, marks: &[Mark]) -> io::Result<()> {
    for (learner, marks) in by_learner(marks) {
        let tests: Vec<_> = marks
            .iter()
            .flat_map(|mark| mark.checks.iter().map(move |check| (mark, check)))
            .map(|(mark, check)| {
                json!({
                    "name": format!("{}: {}", mark.exercise, check.promise),
                    "score": u8::from(check.mistake.is_none()),
                    "max_score": 1,
                    "status": if check.mistake.is_none() { "passed" } else { "failed" },
                    "output": check.mistake.clone().unwrap_or_default(),
                })
            })
            .collect();
        let score: usize = marks.iter().map(|mark| mark.points()).sum();
        // A learner's name is a name in the folder of submissions, so it is one here.
        let folder = folder.join(learner);
        fs::create_dir_all(&folder)?;
        let results = json!({ "score": score, "tests": tests });
        fs::write(folder.join("results.json"), format!("{results:#}\n"))?;
    }
    Ok(())
}

/// How far it is, on a terminal.
#[derive(Debug)]
pub(crate) struct Bar {
    done: AtomicUsize,
    all: usize,
    shown: bool,
}

impl Bar {
    pub(crate) fn new(all: usize) -> Bar {
        Bar { done: AtomicUsize::new(0), all, shown: io::stderr().is_terminal() }
    }

    /// One more is done.
    pub(crate) fn step(&self) {
        let done = self.done.fetch_add(1, Relaxed) + 1;
        if self.shown {
            const WIDTH: usize = 40;
            let full = done * WIDTH / self.all.max(1);
            let bar = format!("{}{}", "#".repeat(full), ".".repeat(WIDTH - full));
            let _ = write!(io::stderr(), "\r[{bar}] {done} of {} answers", self.all);
        }
    }

    pub(crate) fn end(&self) {
        if self.shown {
            let _ = writeln!(io::stderr());
        }
    }
}
