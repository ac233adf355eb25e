//! The desk: what the lessons are, where you stand, what to type next.
//!
//! In reading order: [`lessons`] is the table that all the rest works on, [`command`] and [`choose`] understand what a
//! learner types, [`workspace`] finds the course on the disk, [`exercises`] its exercises, [`progress`] remembers,
//! [`page`] writes to the terminal or to whatever there is instead; [`mod@map`], [`mod@play`], [`mod@check`] and their
//! like are the commands.
#![forbid(unsafe_code)]

mod bench;
mod check;
mod choose;
mod command;
mod demo;
mod doctor;
mod exercises;
#[cfg(feature = "teacher")]
mod grade;
mod handout;
mod hint;
mod lessons;
mod list;
mod map;
mod page;
mod play;
mod progress;
mod stop;
mod teacher;
mod watch;
mod workspace;

use std::process::ExitCode;

use check::Outcome;
use command::{Command, Desk, HELP};
use page::Page;
use progress::Progress;
use stop::Stop;
use workspace::Workspace;

fn main() -> ExitCode {
    let mut page = Page::stdout();
    match run(&mut page) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => stop.report(),
    }
}

fn run(page: &mut Page) -> Result<(), Stop> {
    match command::parse(lexopt::Parser::from_env())? {
        Command::Help => Ok(page.raw(HELP)?),
        Command::Version => Ok(page.raw(concat!("course ", env!("CARGO_PKG_VERSION"), "\n"))?),
        Command::Map => {
            let workspace = Workspace::find()?;
            map::show(page, &workspace, &Progress::load(&workspace))
        }
        Command::Play(word) => {
            let workspace = Workspace::find()?;
            let lessons = choose::lessons(&workspace, word.as_deref())?;
            play::play(page, &workspace, &lessons, &mut Progress::load(&workspace))
        }
        Command::List => {
            let workspace = Workspace::find()?;
            list::list(page, &workspace, &Progress::load(&workspace))
        }
        Command::Exercise(what, word) => exercise(page, what, word.as_deref()),
        Command::Doctor => doctor::doctor(page),
        Command::Handout(folder) => handout::handout(page, &Workspace::find()?, &folder),
        Command::Grade(args) => teacher::grade(page, &Workspace::find()?, args),
        Command::Bench(args) => bench::bench(&Workspace::find()?, &args),
    }
}

fn exercise(page: &mut Page, what: Desk, word: Option<&str>) -> Result<(), Stop> {
    let workspace = Workspace::find()?;
    let mut progress = Progress::load(&workspace);
    let exercise = exercises::choose(&workspace, &progress, word)?;
    match what {
        Desk::Next => list::task(page, &workspace, &exercise),
        Desk::Check => match check::check(page, &workspace, &mut progress, &exercise)? {
            Outcome::Passed => Ok(()),
            _ => Err(Stop::Refused),
        },
        Desk::Watch => watch::watch(page, &workspace, &mut progress, exercise),
        Desk::Hint => {
            let now = check::check(page, &workspace, &mut progress, &exercise)?;
            hint::hint(page, &mut progress, &exercise, &now)
        }
        Desk::Diff => hint::diff(page, &mut progress, &exercise),
        Desk::Reset => hint::reset(page, &exercise),
    }
}
