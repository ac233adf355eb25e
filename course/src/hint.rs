//! `cargo course hint`: three steps, from a nudge to nearly the answer.  `diff` and `reset`, for later.

use std::fs;
use std::path::PathBuf;

use similar::{ChangeTag, TextDiff};

use crate::check::Outcome;
use crate::exercises::Exercise;
use crate::page::Page;
use crate::progress::Progress;
use crate::stop::Stop;

/// The hints of a file: numbered ones, in order, and those for the mistake that one check finds, `- CHECK: …`.
fn parse(text: &str) -> Vec<(Option<String>, String)> {
    let mut hints: Vec<(Option<String>, String)> = Vec::new();
    for line in text.lines() {
        let numbered = line.split_once(". ").filter(|(number, _)| number.parse::<u8>().is_ok());
        let named = line.strip_prefix("- ").and_then(|line| line.split_once(": "));
        match (numbered, named, hints.last_mut()) {
            (Some((_, hint)), _, _) => hints.push((None, hint.to_owned())),
            (None, Some((name, hint)), _) => hints.push((Some(name.to_owned()), hint.to_owned())),
            (None, None, Some((_, hint))) => {
                hint.push(' ');
                hint.push_str(line.trim());
            }
            (None, None, None) => {}
        }
    }
    hints
}

/// Gives the next hint: the one for the mistake that the answer makes now, if there is one and it was not given yet.
///
/// # Errors
///
/// [`Stop::Failed`] if the hints can't be read; [`Stop::Output`] if nobody reads them.
pub(crate) fn hint(
    page: &mut Page,
    progress: &mut Progress,
    exercise: &Exercise,
    now: &Outcome,
) -> Result<(), Stop> {
    let hints = parse(&exercise.read("hints.md")?);
    let refused = match now {
        Outcome::Refused(check) => Some(check.as_str()),
        _ => None,
    };
    let told = |at: usize| format!("hint {}", at + 1);
    let wanted = |named: bool| {
        hints.iter().enumerate().find(|(at, (name, _))| {
            name.is_some() == named
                && (!named || name.as_deref() == refused)
                && !progress.asked(exercise, &told(*at))
        })
    };
    match wanted(true).or_else(|| wanted(false)) {
        Some((at, (_, text))) => {
            page.raw("\n")?;
            page.title("Hint")?;
            page.paragraph("", text)?;
            progress.note_asked(exercise, &told(at));
        }
        None => {
            page.raw("\nThere are no more hints. All of them again:\n")?;
            for (_, text) in hints.iter().filter(|(name, _)| name.is_none()) {
                page.paragraph("  ", text)?;
            }
            page.command(
                &format!("cargo course diff {}", exercise.short()),
                "a solution, if you ask twice",
            )?;
        }
    }
    Ok(())
}

/// Shows the answer beside the solution, line by line; before it passed, only to those who ask twice.
///
/// # Errors
///
/// [`Stop::Failed`] if a file can't be read; [`Stop::Output`] if nobody reads it.
pub(crate) fn diff(
    page: &mut Page,
    progress: &mut Progress,
    exercise: &Exercise,
) -> Result<(), Stop> {
    if !exercise.folder.join("solution.rs").exists() {
        let text = "This course has no solutions in it: whoever handed it out has them.";
        return Ok(page.paragraph("", text)?);
    }
    if !progress.passed(exercise) && !progress.asked(exercise, "diff") {
        progress.note_asked(exercise, "diff");
        let text = "This shows a solution, and your answer has not passed yet. Ask once more if you want to see it.";
        return Ok(page.paragraph("", text)?);
    }
    let (answer, solution) = (exercise.read("answer.rs")?, exercise.read("solution.rs")?);
    page.raw("Lines with - are yours, lines with + the solution's.\n\n")?;
    for change in TextDiff::from_lines(&answer, &solution).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Delete => "-",
            ChangeTag::Insert => "+",
            ChangeTag::Equal => " ",
        };
        page.raw(&format!("{sign} {}\n", change.value().trim_end_matches('\n')))?;
    }
    Ok(())
}

/// Puts the stub back in the answer's place, and keeps the answer beside it.
///
/// # Errors
///
/// [`Stop::Failed`] if a file can't be read or written: the answer is then where it was.
pub(crate) fn reset(page: &mut Page, exercise: &Exercise) -> Result<(), Stop> {
    let failed = |path: &PathBuf, error: std::io::Error| {
        Stop::Failed(format!("nothing is reset: {}: {error}", path.display()))
    };
    let (answer, stub) = (exercise.answer(), exercise.read("stub.rs")?);
    let mut copies = (1..).map(|number| exercise.folder.join(format!("answer.kept-{number}.rs")));
    if exercise.read("answer.rs").is_ok_and(|text| text == stub) {
        return Ok(page.raw("It is as it was given: there is nothing to reset.\n")?);
    }
    if answer.exists() {
        let copy = copies.find(|path| !path.exists()).unwrap_or_default();
        fs::copy(&answer, &copy).map_err(|error| failed(&copy, error))?;
        page.raw(&format!("Your answer is kept in {}.\n", copy.display()))?;
    }
    fs::write(&answer, stub).map_err(|error| failed(&answer, error))?;
    page.raw(&format!("{} is as it was given.\n", answer.display()))?;
    Ok(())
}
