//! `cargo course grade`: a folder of submissions, graded with the teacher's own checks.
//!
//! In reading order: [`submissions`] finds the answers, [`bench`] builds one of them with pristine checks and runs it,
//! [`marks`] is what came of it, [`report`] writes it down.

mod bench;
mod marks;
mod report;
mod submissions;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use nix::fcntl::{Flock, FlockArg};

use crate::exercises::{self, Exercise};
use crate::page::Page;
use crate::progress::Progress;
use crate::stop::Stop;
use crate::workspace::Workspace;
use bench::Bench;
use marks::{Mark, State};
pub(crate) use report::Format;
use submissions::Submission;

/// What is to be graded, and where the marks go.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// Folders in which each folder and each zip file is a learner's submission.
    pub(crate) folders: Vec<PathBuf>,
    /// The exercises that count; all of them without any.
    pub(crate) exercises: Vec<String>,
    pub(crate) outputs: Vec<(Format, PathBuf)>,
    /// How many answers are tried at the same time; as many as there are processors without this.
    pub(crate) jobs: Option<usize>,
}

/// Answers of several learners that are the same to the byte: they are tried once.
struct Job<'a> {
    exercise: &'a Exercise,
    answer: String,
    learners: Vec<&'a str>,
}

/// Grades.
///
/// # Errors
///
/// [`Stop::Usage`] if a folder or an exercise is not there; [`Stop::Failed`] if the pristine checks don't build, or the
/// marks can't be written. Whatever is wrong with a submission is that learner's result.
pub(crate) fn grade(page: &mut Page, workspace: &Workspace, orders: &Orders) -> Result<(), Stop> {
    let exercises = chosen(workspace, &orders.exercises)?;
    let mut submissions = Vec::new();
    for folder in &orders.folders {
        submissions.extend(submissions::of(folder, &exercises)?);
    }
    if submissions.is_empty() {
        let text = "there is no submission: each folder and each zip file in DIR is a learner's";
        return Err(Stop::Usage(text.to_owned()));
    }
    let scratch = workspace.root().join("target/grade");
    let _alone = alone(&scratch)?;
    let jobs_at_once = orders.jobs.unwrap_or_else(processors).max(1);
    let benches = Bench::set_up(workspace, &scratch, jobs_at_once, &exercises)?;
    let mut marks = marks_without_a_run(&exercises, &submissions, &benches[0]);
    let jobs = jobs(&exercises, &submissions);
    marks.extend(work(&benches, &jobs));
    marks.sort_by(|a, b| (&a.learner, &a.exercise).cmp(&(&b.learner, &b.exercise)));
    report::table(page, &marks)?;
    let (all, built) = (marks.len(), jobs.len());
    page.raw(&format!("\n{all} marks for {built} different answers, each built once.\n"))?;
    for (format, path) in &orders.outputs {
        report::write(*format, path, &marks)?;
    }
    Ok(())
}

/// Waits until no other grading uses the folder.
fn alone(scratch: &Path) -> Result<Flock<File>, Stop> {
    let lock = scratch.join("lock");
    let failed =
        |error: std::io::Error| Stop::Failed(format!("cannot lock {}: {error}", shown(&lock)));
    std::fs::create_dir_all(scratch).map_err(failed)?;
    let file = File::create(&lock).map_err(failed)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(alone) => Ok(alone),
        Err((file, _)) => {
            // To standard error, for it is no result; if nobody reads it, so be it.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                b"Another grading is under way; this waits.\n",
            );
            Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| failed(error.into()))
        }
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

fn chosen(workspace: &Workspace, words: &[String]) -> Result<Vec<Exercise>, Stop> {
    if words.is_empty() {
        return Ok(exercises::all(workspace));
    }
    let progress = Progress::load(workspace);
    words.iter().map(|word| exercises::choose(workspace, &progress, Some(word))).collect()
}

/// Marks of answers that need no run: those that are not there, can't be read, or are the stub.
fn marks_without_a_run(
    exercises: &[Exercise],
    submissions: &[Submission],
    bench: &Bench,
) -> Vec<Mark> {
    let mut marks = Vec::new();
    for submission in submissions {
        for exercise in exercises {
            let state = match submission.answers.get(&exercise.id()) {
                None => State::Missing,
                Some(Err(why)) => State::Unreadable(why.clone()),
                Some(Ok(answer)) => match suspicious(answer) {
                    Some(word) => State::Suspicious(word.to_owned()),
                    None => continue,
                },
            };
            marks.push(Mark::new(&submission.learner, exercise, state, bench.checks(exercise)));
        }
    }
    marks
}

/// What no task needs, and what an answer could use to speak in its checks' name. It is refused, for the teacher to
/// look at: within one process nothing can be kept secret from a program that is determined to find it.
fn suspicious(answer: &str) -> Option<&'static str> {
    const WORDS: &[&str] = &[
        "judge",
        "JUDGE_",
        "link_section",
        "init_array",
        "no_mangle",
        "export_name",
        "global_asm",
        "include!",
        "include_str!",
        "include_bytes!",
        "#[path",
        "env!",
        "environ",
    ];
    WORDS.iter().find(|word| answer.contains(**word)).copied()
}

/// What is to be tried: by exercise, so that a workbench keeps to one while it can.
fn jobs<'a>(exercises: &'a [Exercise], submissions: &'a [Submission]) -> Vec<Job<'a>> {
    let mut jobs = Vec::new();
    for exercise in exercises {
        let mut same: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for submission in submissions {
            if let Some(Ok(answer)) = submission.answers.get(&exercise.id())
                && suspicious(answer).is_none()
            {
                same.entry(answer).or_default().push(&submission.learner);
            }
        }
        jobs.extend(same.into_iter().map(|(answer, learners)| Job {
            exercise,
            answer: answer.to_owned(),
            learners,
        }));
    }
    jobs
}

/// Has every bench take jobs until there are none.
fn work(benches: &[Bench], jobs: &[Job<'_>]) -> Vec<Mark> {
    let (next, marks) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let bar = report::Bar::new(jobs.len());
    std::thread::scope(|scope| {
        for bench in benches {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Relaxed)) {
                    let state = bench.try_out(job.exercise, &job.answer);
                    let new = job.learners.iter().map(|learner| {
                        Mark::new(learner, job.exercise, state.clone(), bench.checks(job.exercise))
                    });
                    marks.lock().unwrap_or_else(|broken| broken.into_inner()).extend(new);
                    bar.step();
                }
            });
        }
    });
    bar.end();
    marks.into_inner().unwrap_or_else(|broken| broken.into_inner())
}

/// A path, as it is said in a message.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
