//! The desk: what the lessons are, where you stand, what to type next.
//!
//! In reading order: [`lessons`] is the table that all the rest works on, [`choose`] understands what a learner
//! types for a lesson, [`workspace`] finds the course on the disk, [`progress`] remembers, [`page`] writes to the
//! terminal or to whatever there is instead; [`mod@map`], [`mod@play`], [`mod@check`] and their like are the commands.
#![forbid(unsafe_code)]

mod bench;
mod check;
mod choose;
mod demo;
mod doctor;
mod exercises;
mod hint;
mod lessons;
mod list;
mod map;
mod page;
mod play;
mod progress;
mod stop;
mod watch;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use check::Outcome;
use lexopt::prelude::*;
use page::Page;
use progress::Progress;
use stop::Stop;
use workspace::Workspace;

const HELP: &str = "\
The course's desk: what the lessons are, where you stand, what to type next.

Usage: cargo course [COMMAND] [WHICH]

  cargo course          the map: the lessons, and what to type next
  play [LESSON]         run the demos, and say before each what to look at,
                        after it what was to be seen

Exercises:
  list                  all of them, done or not
  next [EXERCISE]       the task of the next one, or of that one
  check [EXERCISE]      is the answer right, and if not, why not?
  watch [EXERCISE]      the same at each save of the answer
  hint [EXERCISE]       a step further: three in all, and one for some mistakes
  diff [EXERCISE]       your answer beside the solution
  reset [EXERCISE]      the answer as it was given; yours is kept beside it

The rest:
  bench [LESSON]        measure the lessons beside rivals and limits
                        (--quick, --list and more: see bench --help)
  doctor                what this machine can do, and what is missing

LESSON is a lesson's name or number: pool, 3, 03 and 03-pool are all the same.
Without it, all of them. EXERCISE is pool/2, or a name that `list` shows.
Without it, the first that has not passed.

Options:
  -h, --help       this text
  -V, --version    the course's version

On a terminal the demos wait for Enter; without one they run straight through.

Environment:
  COURSE_DEADLINE  seconds that a demo may run before it is stopped (default 20)
  COURSE_PROGRESS  the file that remembers what you have done (progress.txt in
                   the course's folder)
  JUDGE_PATIENCE   a factor for every deadline, on a slow machine
  NO_COLOR         set to anything: no colour

Exit status: 0 all went well, 1 something failed, was refused or was stopped,
2 wrong usage.
";

/// What was asked for.
enum Command {
    Map,
    Play(Option<String>),
    Exercise(Desk, Option<String>),
    List,
    Doctor,
    Bench(Vec<OsString>),
    Help,
    Version,
}

/// What to do with an exercise.
#[derive(Debug, Clone, Copy)]
enum Desk {
    Next,
    Check,
    Watch,
    Hint,
    Diff,
    Reset,
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
            play::play(page, &workspace, &lessons, &mut Progress::load(&workspace))
        }
        Command::List => {
            let workspace = Workspace::find()?;
            list::list(page, &workspace, &Progress::load(&workspace))
        }
        Command::Exercise(what, word) => exercise(page, what, word.as_deref()),
        Command::Doctor => doctor::doctor(page),
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

/// Reads the command line: a command, and what belongs to it.
fn parse(mut parser: lexopt::Parser) -> Result<Command, Stop> {
    let command = match parser.next()? {
        None => return Ok(Command::Map),
        Some(Short('h') | Long("help")) => return Ok(Command::Help),
        Some(Short('V') | Long("version")) => return Ok(Command::Version),
        Some(Value(word)) => word.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    let desk = match command.as_str() {
        "bench" => return Ok(Command::Bench(parser.raw_args()?.collect())),
        "help" => return Ok(Command::Help),
        "play" => None,
        "list" | "doctor" => {
            return match parser.next()? {
                None if command == "list" => Ok(Command::List),
                None => Ok(Command::Doctor),
                Some(Short('h') | Long("help")) => Ok(Command::Help),
                Some(other) => Err(other.unexpected().into()),
            };
        }
        "next" => Some(Desk::Next),
        "check" => Some(Desk::Check),
        "watch" => Some(Desk::Watch),
        "hint" => Some(Desk::Hint),
        "diff" => Some(Desk::Diff),
        "reset" => Some(Desk::Reset),
        other => return Err(choose::unknown_command(other, COMMANDS)),
    };
    let mut which = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Short('h') | Long("help") => return Ok(Command::Help),
            Value(word) if which.is_none() => which = Some(word.string()?),
            Value(word) => {
                let text = format!(
                    "{word:?} is one too many: `cargo course {command}` takes one, or none"
                );
                return Err(Stop::Usage(text));
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(match desk {
        Some(desk) => Command::Exercise(desk, which),
        None => Command::Play(which),
    })
}

const COMMANDS: &[&str] =
    &["play", "list", "next", "check", "watch", "hint", "diff", "reset", "bench", "doctor", "help"];
