//! The desk: what the lessons are, where you stand, what to type next.
//!
//! In reading order: [`lessons`] is the table that all the rest works on, [`choose`] understands what a learner
//! types for a lesson, [`workspace`] finds the course on the disk, [`progress`] remembers, [`page`] writes to the
//! terminal or to whatever there is instead; [`mod@map`], [`mod@play`] and [`mod@bench`] are the commands.
#![forbid(unsafe_code)]

mod bench;
mod choose;
mod demo;
mod lessons;
mod map;
mod page;
mod play;
mod progress;
mod stop;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use lexopt::prelude::*;
use page::Page;
use progress::Progress;
use stop::Stop;
use workspace::Workspace;

const HELP: &str = "\
The course's desk: what the lessons are, where you stand, what to type next.

Usage:
  cargo course                  the map: the lessons, and what to type next
  cargo course play [LESSON]    run the demos, and say before each what to look
                                at, after it what was to be seen
  cargo course bench [LESSON]   measure the lessons beside rivals and limits
                                (--quick, --list and more: see bench --help)

LESSON is a lesson's name or number: pool, 3, 03 and 03-pool are all the same.
Without it, all of them.

Options:
  -h, --help       this text
  -V, --version    the course's version

On a terminal the demos wait for Enter; without one they run straight through.

Environment:
  COURSE_DEADLINE  seconds that a demo may run before it is stopped (default 20)
  COURSE_PROGRESS  the file that remembers what you have played (progress.txt in
                   the course's folder)
  NO_COLOR         set to anything: no colour

Exit status: 0 all went well, 1 something failed or was stopped, 2 wrong usage.
";

/// What was asked for.
enum Command {
    Map,
    Play(Option<String>),
    Bench(Vec<OsString>),
    Help,
    Version,
}

fn main() -> ExitCode {
    let mut page = Page::stdout();
    match run(&mut page) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => stop.report(),
    }
}

fn run(page: &mut Page) -> Result<(), Stop> {
    match parse(lexopt::Parser::from_env())? {
        Command::Help => Ok(page.raw(HELP)?),
        Command::Version => Ok(page.raw(concat!("course ", env!("CARGO_PKG_VERSION"), "\n"))?),
        Command::Map => {
            let workspace = Workspace::find()?;
            map::show(page, &workspace, &Progress::load(&workspace))
        }
        Command::Play(word) => {
            let workspace = Workspace::find()?;
            let lessons = choose::lessons(&workspace, word.as_deref())?;
            play::play(page, &workspace, &lessons, &Progress::load(&workspace))
        }
        Command::Bench(args) => bench::bench(&Workspace::find()?, &args),
    }
}

/// Reads the command line: a command, and what belongs to it.
fn parse(mut parser: lexopt::Parser) -> Result<Command, Stop> {
    let command = match parser.next()? {
        None => return Ok(Command::Map),
        Some(Short('h') | Long("help")) => return Ok(Command::Help),
        Some(Short('V') | Long("version")) => return Ok(Command::Version),
        Some(Value(word)) => word.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "play" => play_args(parser),
        "bench" => Ok(Command::Bench(parser.raw_args()?.collect())),
        "help" => Ok(Command::Help),
        other => Err(choose::unknown_command(other, &["play", "bench", "help"])),
    }
}

fn play_args(mut parser: lexopt::Parser) -> Result<Command, Stop> {
    let mut lesson = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Short('h') | Long("help") => return Ok(Command::Help),
            Value(word) if lesson.is_none() => lesson = Some(word.string()?),
            Value(word) => {
                let text =
                    format!("{word:?} is one lesson too many: play one, or all without a name");
                return Err(Stop::Usage(text));
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Command::Play(lesson))
}
