//! The lesson's demo: run it without arguments, then with the name of a subcommand.

#![forbid(unsafe_code)]

mod demo;

use std::process::ExitCode;

use demo::say;
use lexopt::prelude::{Long, Short, Value};

const HELP: &str = "\
A process as an object: start, join, result. Shown one idea at a time.

Usage: process [COMMAND]

Without a command: a process starts another one, and waits for its end.

Commands:
  value        a typed value comes back from join, however large
  end          what join says of a child that exits, or is killed
  panic        a panic in a child, as its parent sees it
  spawn        fork and spawn: what does the child have of its parent?
  active       who of my children lives, and who am I?
  sentinel     wait for whichever of three ends first
  daemon       a parent is killed: who ends with it, and who does not?

Options:
  -h, --help   print this text

The text to read beside it: cargo doc -p process --open
";

fn main() -> ExitCode {
    // First of all: a spawned child begins, and ends, here.
    process::init();
    let command = match parse(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("process: {error}\nTry `process --help`.");
            return ExitCode::from(2);
        }
    };
    match command() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("process: {error}");
            ExitCode::FAILURE
        }
    }
}

type Command = fn() -> demo::Outcome;

fn parse(mut arguments: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut command = None;
    while let Some(argument) = arguments.next()? {
        match (argument, command) {
            (Short('h') | Long("help"), _) => return Ok(help),
            (Value(name), None) => command = Some(named(&name.to_string_lossy())?),
            (unexpected, _) => return Err(unexpected.unexpected()),
        }
    }
    Ok(command.unwrap_or(demo::start::run))
}

fn named(name: &str) -> Result<Command, String> {
    Ok(match name {
        "value" => demo::value::run,
        "end" => demo::end::run,
        "panic" => demo::panic::run,
        "spawn" => demo::spawn::run,
        "active" => demo::active::run,
        "sentinel" => demo::sentinel::run,
        "daemon" => demo::daemon::run,
        _ => return Err(format!("no command `{name}`")),
    })
}

fn help() -> demo::Outcome {
    say!("{}", HELP.trim_end());
    Ok(())
}
