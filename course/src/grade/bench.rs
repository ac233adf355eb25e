//! A workbench: a clean copy of the course, in which one answer after the other takes its place.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use judge::{Judge, Limit};

use super::marks::{Check, State};
use super::shown;
use crate::exercises::Exercise;
use crate::handout;
use crate::stop::Stop;
use crate::workspace::{Workspace, exercise_program};

/// A compiler that takes longer has been given something that no task asks for.
const BUILD: Duration = Duration::from_secs(90);
/// All cases of an exercise; each has a deadline of its own.
const RUN: Duration = Duration::from_secs(120);

/// A copy of the course with its own target folder, and for each exercise the program that judges: the checks, built
/// with the stub. What an answer does to its own process, it can't do to that one.
#[derive(Debug)]
pub(crate) struct Bench {
    workspace: Workspace,
    judges: Arc<BTreeMap<String, Trusted>>,
    scratch: PathBuf,
}

#[derive(Debug)]
struct Trusted {
    program: PathBuf,
    promises: Vec<String>,
}

impl Bench {
    /// Sets up so many.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if the course can't be copied, or the checks don't build.
    pub(crate) fn set_up(
        course: &Workspace,
        scratch: &Path,
        count: usize,
        exercises: &[Exercise],
    ) -> Result<Vec<Bench>, Stop> {
        let mut workspaces = Vec::new();
        for number in 0..count {
            let root = scratch.join(format!("bench-{number}"));
            handout::refresh(course, &root)?;
            overlay_private_checks(course, &root, exercises)?;
            workspaces.push(Workspace::at(root));
        }
        let programs = scratch.join("programs");
        let _ = fs::remove_dir_all(&programs);
        fs::create_dir_all(&programs).map_err(|error| failed(&programs, &error))?;
        let mut judges = BTreeMap::new();
        for exercise in exercises {
            judges.insert(exercise.id(), trusted(&workspaces[0], exercise, &programs)?);
        }
        let judges = Arc::new(judges);
        let bench =
            |workspace| Bench { workspace, judges: Arc::clone(&judges), scratch: programs.clone() };
        Ok(workspaces.into_iter().map(bench).collect())
    }

    /// The promises of an exercise's checks.
    pub(crate) fn checks(&self, exercise: &Exercise) -> &[String] {
        self.judges.get(&exercise.id()).map_or(&[], |trusted| &trusted.promises)
    }

    /// Builds the answer with the pristine checks, and has it judged.
    pub(crate) fn try_out(&self, exercise: &Exercise, answer: &str) -> State {
        match build(&self.workspace, exercise, answer, &self.scratch) {
            Ok(program) => {
                let state = self.judge(exercise, &program);
                let _ = fs::remove_file(program);
                state
            }
            Err(state) => state,
        }
    }

    fn judge(&self, exercise: &Exercise, program: &Path) -> State {
        let Some(trusted) = self.judges.get(&exercise.id()) else {
            return State::Broken("there are no checks for it".to_owned());
        };
        let report = Judge::program(&trusted.program).arg("grade").arg(program).deadline(RUN).run();
        let lines = report.stdout();
        if report.code() != Some(0) {
            return State::Broken(format!("the checks did not come to their end: {report}"));
        }
        if lines.lines().any(|line| line == "empty") {
            return State::NotFilledIn;
        }
        let checks: Vec<Check> = lines.lines().filter_map(check).collect();
        match checks.len() == trusted.promises.len() {
            true => State::Judged(checks),
            false => State::Broken("the checks did not all report".to_owned()),
        }
    }
}

/// A line of the judging program: `kept PROMISE`, or `broken PROMISE`, a tab, and the sentence.
fn check(line: &str) -> Option<Check> {
    let (verdict, rest) = line.split_once('\t')?;
    let (promise, mistake) = rest.split_once('\t').unwrap_or((rest, ""));
    let mistake = (verdict == "broken").then(|| mistake.to_owned());
    Some(Check { promise: promise.to_owned(), mistake })
}

/// The checks built with the stub, and what they promise.
fn trusted(workspace: &Workspace, exercise: &Exercise, to: &Path) -> Result<Trusted, Stop> {
    let stub = exercise.read("stub.rs")?;
    let program = build(workspace, exercise, &stub, to).map_err(|state| {
        Stop::Failed(format!("the checks of {} don't build: {state:?}", exercise.id()))
    })?;
    let report = Judge::program(&program).arg("promises").run();
    let promises: Vec<String> = report.stdout().lines().map(str::to_owned).collect();
    match report.code() {
        Some(0) if !promises.is_empty() => Ok(Trusted { program, promises }),
        _ => Err(Stop::Failed(format!("the checks of {} don't run: {report}", exercise.id()))),
    }
}

/// Builds in place of the bench's answer, and takes the program away.
fn build(
    workspace: &Workspace,
    exercise: &Exercise,
    answer: &str,
    to: &Path,
) -> Result<PathBuf, State> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let broken = |error: std::io::Error| State::Broken(error.to_string());
    let folder = workspace.root().join(exercise.lesson.folder()).join("exercises");
    fs::write(folder.join(&exercise.name).join("answer.rs"), answer).map_err(broken)?;
    let (cargo, arguments) = workspace.exercise_build(exercise);
    let judge = Judge::program(cargo).args(arguments).dir(workspace.root()).deadline(BUILD);
    let judge = judge
        .env("CARGO_TARGET_DIR", workspace.root().join("target"))
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TERM_COLOR", "never")
        // Nobody looks at it with a debugger, and without the tables a build is a quarter quicker.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .limit(Limit::FileSize(1 << 30));
    let report = judge.run();
    if report.code() != Some(0) {
        return Err(State::NotCompiled(first_error(&report.stderr(), report.timed_out())));
    }
    let Some(built) = exercise_program(exercise, &report.stdout()) else {
        return Err(State::Broken("cargo did not say where the program is".to_owned()));
    };
    let number = NEXT.fetch_add(1, Relaxed);
    let program = to.join(format!("{}-{}-{number}", exercise.lesson.name, exercise.name));
    fs::copy(built, &program).map_err(broken)?;
    Ok(program)
}

fn first_error(stderr: &str, timed_out: bool) -> String {
    if timed_out {
        return "the compiler did not come to an end".to_owned();
    }
    let mut lines = stderr.lines().skip_while(|line| !line.starts_with("error"));
    let error = lines.next().unwrap_or("error");
    let place = lines.find(|line| line.trim_start().starts_with("--> ")).unwrap_or_default();
    let place = place.rsplit('/').next().unwrap_or_default();
    format!("{error} ({place})")
}

/// A teacher's own checks of an exercise, `private/check.rs`, take the place of the public ones.
fn overlay_private_checks(
    course: &Workspace,
    root: &Path,
    exercises: &[Exercise],
) -> Result<(), Stop> {
    for exercise in exercises {
        let private = exercise.folder.join("private/check.rs");
        if private.is_file() {
            let folder = exercise.folder.strip_prefix(course.root()).unwrap_or(&exercise.folder);
            let public = root.join(folder).join("check.rs");
            fs::copy(&private, &public).map_err(|error| failed(&public, &error))?;
        }
    }
    Ok(())
}

fn failed(path: &Path, error: &std::io::Error) -> Stop {
    Stop::Failed(format!("cannot write {}: {error}", shown(path)))
}
