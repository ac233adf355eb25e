//! The lesson's demo: run it without arguments, then with the name of a subcommand.
#![forbid(unsafe_code)]

mod demo;

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value};

const HELP: &str = "\
Many tasks on a few processes.

Usage: pool [COMMAND]

Without a command: five tasks on four workers.

Commands:
  faults       tasks that panic, exit, crash and never end, told apart
  wc PATH...   count lines, words and bytes of all files in and below the paths, in parallel, and
               print what `LC_ALL=C wc` prints of them; files below a directory come sorted

Options:
  -h, --help   print this text

The text to read beside it: cargo doc -p pool --open
";

fn main() -> ExitCode {
    let command = match parse(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("pool: {error}\nTry `pool --help`.");
            return ExitCode::from(2);
        }
    };
    let ended = match command {
        Command::Help => io::stdout().write_all(HELP.as_bytes()).map_err(Into::into),
        Command::Start => demo::start::run(),
        Command::Faults => demo::faults::run(),
        Command::Count(paths) => match demo::count::run(paths) {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error),
        },
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        // `pool wc . | head -1` ends quietly, as other programs do.
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pool: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

enum Command {
    Help,
    Start,
    Faults,
    Count(Vec<OsString>),
}

fn parse(mut arguments: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut command = Command::Start;
    while let Some(argument) = arguments.next()? {
        match (argument, &mut command) {
            (Short('h') | Long("help"), _) => return Ok(Command::Help),
            (Value(path), Command::Count(paths)) => paths.push(path),
            (Value(name), Command::Start) => {
                command = match name.to_str() {
                    Some("faults") => Command::Faults,
                    Some("wc") => Command::Count(Vec::new()),
                    _ => return Err(format!("no command `{}`", name.to_string_lossy()).into()),
                }
            }
            (unexpected, _) => return Err(unexpected.unexpected()),
        }
    }
    match command {
        Command::Count(paths) if paths.is_empty() => Err("wc: which files, or folders?".into()),
        command => Ok(command),
    }
}
