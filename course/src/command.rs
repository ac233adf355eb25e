//! The command line: what was asked for.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::choose;
use crate::stop::Stop;

pub(crate) const HELP: &str = "\
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

For teachers:
  handout DIR           the course without solutions and private checks
  grade DIR...          every folder and every zip file in DIR is a submission:
                        marks for all of them (see grade --help)

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
#[derive(Debug)]
pub(crate) enum Command {
    Map,
    Play(Option<String>),
    Exercise(Desk, Option<String>),
    List,
    Doctor,
    Handout(PathBuf),
    Grade(Vec<OsString>),
    Bench(Vec<OsString>),
    Help,
    Version,
}

/// What to do with an exercise.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Desk {
    Next,
    Check,
    Watch,
    Hint,
    Diff,
    Reset,
}

/// Reads the command line: a command, and what belongs to it.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Command, Stop> {
    let command = match parser.next()? {
        None => return Ok(Command::Map),
        Some(Short('h') | Long("help")) => return Ok(Command::Help),
        Some(Short('V') | Long("version")) => return Ok(Command::Version),
        Some(Value(word)) => word.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    let desk = match command.as_str() {
        "bench" => return Ok(Command::Bench(parser.raw_args()?.collect())),
        "grade" => return Ok(Command::Grade(parser.raw_args()?.collect())),
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
        "handout" => return handout_args(parser),
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

fn handout_args(mut parser: lexopt::Parser) -> Result<Command, Stop> {
    let folder = match parser.next()? {
        Some(Short('h') | Long("help")) => return Ok(Command::Help),
        Some(Value(folder)) => folder,
        Some(other) => return Err(other.unexpected().into()),
        None => {
            let text = "say into which folder: `cargo course handout DIR`";
            return Err(Stop::Usage(text.to_owned()));
        }
    };
    match parser.next()? {
        None => Ok(Command::Handout(folder.into())),
        Some(other) => Err(other.unexpected().into()),
    }
}

const COMMANDS: &[&str] = &[
    "play", "list", "next", "check", "watch", "hint", "diff", "reset", "handout", "bench",
    "doctor", "help",
];
