//! `cargo course play`: the demos, with a word before each and one after it.

use crate::demo::{self, Ending};
use crate::lessons::{Demo, Lesson};
use crate::page::Page;
use crate::progress::Progress;
use crate::stop::Stop;
use crate::workspace::Workspace;

/// Plays the lessons' demos in order. One that fails or is stopped does not keep the next from its turn.
///
/// # Errors
///
/// [`Stop::Failed`] if a lesson does not compile, or in the end if a demo did not end well; [`Stop::Output`] if nobody
/// reads it any more.
pub(crate) fn play(
    page: &mut Page,
    workspace: &Workspace,
    lessons: &[&Lesson],
    progress: &mut Progress,
) -> Result<(), Stop> {
    let deadline = demo::deadline()?;
    let programs = workspace.build(lessons)?;
    let mut failed = Vec::new();
    for (lesson, program) in lessons.iter().zip(&programs) {
        page.raw("\n")?;
        page.title(&format!("{:02} {}: {}", lesson.number, lesson.name, lesson.question))?;
        let mut all_well = true;
        for (at, demo) in lesson.demos.iter().enumerate() {
            let count = format!("Demo {} of {}", at + 1, lesson.demos.len());
            if !introduce(page, lesson, demo, &count)? {
                page.paragraph("", "Stopped here. The same command begins again.")?;
                return Ok(());
            }
            match demo::run(page, workspace.root(), program, demo.args, deadline)? {
                Ending::Well => page.paragraph("", &format!("Seen: {}", demo.seen))?,
                Ending::Badly(why) => {
                    page.raw(&format!("This did not end well: {why}\n"))?;
                    failed.push(command_line(lesson, demo));
                    all_well = false;
                }
            }
        }
        if all_well {
            progress.note_played(lesson);
        }
    }
    match failed.as_slice() {
        [] => Ok(page.raw("\n`cargo course` shows where you stand now.\n")?),
        failed => Err(Stop::Failed(format!("did not end well: {}", failed.join("; ")))),
    }
}

/// What comes, and what to look at. `false` if the learner has had enough.
fn introduce(page: &mut Page, lesson: &Lesson, demo: &Demo, count: &str) -> Result<bool, Stop> {
    page.raw(&format!("\n{count}: "))?;
    page.title(&command_line(lesson, demo))?;
    page.paragraph("", &format!("Look at: {}", demo.look))?;
    let goes_on = !page.asks() || page.enter("[Enter runs it, q stops here] ")?;
    page.raw("\n")?;
    Ok(goes_on)
}

/// What a learner types to run the demo by hand.
fn command_line(lesson: &Lesson, demo: &Demo) -> String {
    let mut line = format!("cargo run -p {}", lesson.name);
    if !demo.args.is_empty() {
        line.push_str(" --");
    }
    for arg in demo.args {
        let quote = if arg.contains(' ') { "'" } else { "" };
        line.push_str(&format!(" {quote}{arg}{quote}"));
    }
    line
}
