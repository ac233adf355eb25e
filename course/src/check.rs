//! `cargo course check`: the answer and its checks, and the first mistake.

use std::path::Path;
use std::time::Duration;

use judge::Judge;

use crate::exercises::{self, Exercise};
use crate::page::Page;
use crate::progress::Progress;
use crate::stop::Stop;
use crate::workspace::Workspace;

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    NotFilledIn,
    NotCompiled,
    /// The name of the promise that is broken.
    Refused(String),
}

/// Checks the answer, shows what is to be said of it, and remembers if it passed.
///
/// # Errors
///
/// [`Stop::Failed`] if the check can't be run; [`Stop::Output`] if nobody reads it.
pub(crate) fn check(
    page: &mut Page,
    workspace: &Workspace,
    progress: &mut Progress,
    exercise: &Exercise,
) -> Result<Outcome, Stop> {
    page.title(&format!("{}: {}", exercise.id(), exercise.title()))?;
    page.raw("\n")?;
    let Some(program) = workspace.build_exercise(exercise)? else {
        page.paragraph("", "It does not compile. The compiler says why, above.")?;
        return Ok(Outcome::NotCompiled);
    };
    let outcome = run(page, exercise, &program)?;
    match &outcome {
        Outcome::Passed => {
            progress.note_passed(exercise);
            page.raw("\nAll promises are kept.\n")?;
            page.command(
                &format!("cargo course diff {}", exercise.short()),
                "your answer beside another",
            )?;
            match exercises::next(workspace, progress) {
                Some(_) => page.command("cargo course next", "the next exercise")?,
                None => page.raw("You have solved all that there are.\n")?,
            }
        }
        Outcome::NotFilledIn => {
            page.raw("\n")?;
            next_steps(page, workspace, exercise)?;
        }
        Outcome::Refused(_) | Outcome::NotCompiled => {
            page.raw("\n")?;
            page.command(&format!("cargo course hint {}", exercise.short()), "a step further")?;
        }
    }
    Ok(outcome)
}

/// Every case has a deadline of its own; this one is for a machine on which nothing moves any more.
const DEADLINE: Duration = Duration::from_secs(120);

fn run(page: &mut Page, exercise: &Exercise, program: &Path) -> Result<Outcome, Stop> {
    let mut running = Judge::program(program).dir(&exercise.folder).deadline(DEADLINE).start();
    let (mut kept, mut broken) = (0, None);
    while let Some(line) = running.read_line() {
        page.raw(&format!("{line}\n"))?;
        kept += u32::from(line.ends_with("  kept"));
        if let Some(row) = line.strip_suffix("BROKEN") {
            let promise = row.trim_end().splitn(4, ' ').nth(3).unwrap_or_default().trim();
            broken = Some(promise.replace(' ', "_"));
        }
    }
    let report = running.finish();
    match report.code() {
        Some(0) if kept > 0 => Ok(Outcome::Passed),
        Some(1) if broken.is_some() => Ok(Outcome::Refused(broken.unwrap_or_default())),
        Some(3) => Ok(Outcome::NotFilledIn),
        _ => Err(Stop::Failed(format!("the check itself did not end well: {report}"))),
    }
}

/// What to type on the way to an answer.
///
/// # Errors
///
/// [`Stop::Output`] if nobody reads it.
pub(crate) fn next_steps(
    page: &mut Page,
    workspace: &Workspace,
    exercise: &Exercise,
) -> Result<(), Stop> {
    let answer = exercise.answer();
    let answer = answer.strip_prefix(workspace.root()).unwrap_or(&answer);
    page.raw(&format!("Edit {}, then:\n", answer.display()))?;
    let short = exercise.short();
    page.command(&format!("cargo course check {short}"), "is it right, and if not, why not?")?;
    page.command(&format!("cargo course watch {short}"), "the same at each save")?;
    page.command(&format!("cargo course hint {short}"), "a step further, three in all")?;
    Ok(())
}
