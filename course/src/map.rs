//! `cargo course`: the map, and what to type next.

use crate::exercises;
use crate::lessons::{LESSONS, Lesson};
use crate::page::Page;
use crate::progress::Progress;
use crate::stop::Stop;
use crate::workspace::Workspace;

/// Shows the lessons, where the learner stands among them, and the next commands.
///
/// # Errors
///
/// [`Stop::Output`] if nobody reads it.
pub(crate) fn show(
    page: &mut Page,
    workspace: &Workspace,
    progress: &Progress,
) -> Result<(), Stop> {
    let lessons: Vec<&Lesson> = workspace.lessons().collect();
    let next = lessons.iter().find(|lesson| !progress.played(lesson));

    page.title("Processes and threads in Rust")?;
    page.raw("\n")?;
    for lesson in &lessons {
        let mark = match next {
            Some(next) if next.number == lesson.number => "you are here",
            _ if progress.played(lesson) => "played",
            _ => "",
        };
        let exercises = exercises::of(workspace, lesson);
        let solved = exercises.iter().filter(|exercise| progress.passed(exercise)).count();
        let solved = match solved {
            0 => String::new(),
            _ => format!("{solved} of {}", exercises.len()),
        };
        let row = format!(
            "  {:02}  {:<11} {:<41} {solved:>6}  {mark}",
            lesson.number, lesson.name, lesson.question
        );
        page.raw(&format!("{}\n", row.trim_end()))?;
    }
    let missing: Vec<&str> =
        LESSONS.iter().filter(|lesson| !workspace.has(lesson)).map(|lesson| lesson.name).collect();
    if !missing.is_empty() {
        page.raw("\n")?;
        page.paragraph("      ", &format!("Not written yet: {}.", missing.join(", ")))?;
    }
    page.raw("\n")?;
    match next {
        Some(lesson) if lesson.number == 1 => page.title("Start here:")?,
        Some(lesson) => page.title(&format!("Next, {}:", lesson.name))?,
        None => {
            page.title("You have played all that there is. To go deeper, say into the pool:")?
        }
    }
    next_commands(page, next.map_or("pool", |lesson| lesson.name))
}

fn next_commands(page: &mut Page, name: &str) -> Result<(), Stop> {
    page.command(&format!("cargo course play {name}"), "watch it, and be told what to look at")?;
    page.command(&format!("cargo doc -p {name} --open"), "read it")?;
    page.command(&format!("cargo run -p {name} -- --help"), "try it with arguments of your own")?;
    page.command(&format!("cargo test -p {name}"), "see every promise of it kept, then break one")?;
    page.command("cargo course next", "solve the next exercise (`list` has all)")?;
    page.command(&format!("cargo course bench {name}"), "see how fast it is, and beside what")?;
    Ok(())
}
