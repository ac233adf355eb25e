//! `cargo course list`: the exercises, done or not.  `cargo course next`: the next one's task.

use crate::check::next_steps;
use crate::exercises::{self, Exercise};
use crate::page::Page;
use crate::progress::Progress;
use crate::stop::Stop;
use crate::workspace::Workspace;

/// Lists every lesson's exercises. What is done is said in words: the bar is for a glance.
///
/// # Errors
///
/// [`Stop::Output`] if nobody reads it.
pub(crate) fn list(
    page: &mut Page,
    workspace: &Workspace,
    progress: &Progress,
) -> Result<(), Stop> {
    let (mut passed_in_all, mut count_in_all) = (0, 0);
    for lesson in workspace.lessons() {
        let exercises = exercises::of(workspace, lesson);
        let passed = exercises.iter().filter(|exercise| progress.passed(exercise)).count();
        (passed_in_all, count_in_all) = (passed_in_all + passed, count_in_all + exercises.len());
        let count = format!("{passed} of {}", exercises.len());
        page.title(&format!("{:02} {:<12}{count}", lesson.number, lesson.name))?;
        for exercise in &exercises {
            let state = if progress.passed(exercise) { "passed" } else { "open" };
            page.raw(&format!("   {state:<7} {:<32} {}\n", exercise.id(), exercise.title()))?;
        }
    }
    page.raw(&format!(
        "\n{} {passed_in_all} of {count_in_all} passed\n",
        bar(passed_in_all, count_in_all)
    ))?;
    page.command("cargo course next", "the next one's task")?;
    Ok(())
}

fn bar(done: usize, all: usize) -> String {
    const WIDTH: usize = 36;
    let full = (done * WIDTH).checked_div(all).unwrap_or(0);
    format!("[{}{}]", "#".repeat(full), ".".repeat(WIDTH - full))
}

/// Shows an exercise's task.
///
/// # Errors
///
/// [`Stop::Failed`] if it can't be read; [`Stop::Output`] if nobody reads it.
pub(crate) fn task(
    page: &mut Page,
    workspace: &Workspace,
    exercise: &Exercise,
) -> Result<(), Stop> {
    page.title(&format!("{}: {}", exercise.id(), exercise.title()))?;
    let task = exercise.read("task.md")?;
    let text = task.lines().skip_while(|line| !line.starts_with("# ")).skip(1);
    let (mut paragraph, mut in_code) = (String::new(), false);
    for line in text.chain([""]) {
        let fence = line.starts_with("```");
        in_code ^= fence;
        let item = line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok());
        if !paragraph.is_empty() && (line.is_empty() || fence || item) {
            page.item(&std::mem::take(&mut paragraph))?;
        }
        match line {
            _ if fence => {}
            _ if in_code => code(page, line)?,
            "" => page.raw("\n")?,
            _ => paragraph.push_str(&format!("{line} ")),
        }
    }
    next_steps(page, workspace, exercise)
}

/// A line of the stub, which may be wider than a terminal where it is a comment.
fn code(page: &mut Page, line: &str) -> Result<(), Stop> {
    match line.split_once("/// ") {
        Some((margin, text)) if margin.trim().is_empty() => {
            page.paragraph(&format!("    {margin}/// "), text)?;
        }
        _ => page.raw(&format!("{}\n", format!("    {line}").trim_end()))?,
    }
    Ok(())
}
