//! The lesson's demo: run it without arguments, then with the name of a subcommand.
#![deny(unsafe_code)]

mod demo;

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value};

const HELP: &str = "\
Many tasks in one process, shown one idea at a time.

Usage: threads [COMMAND]

Without a command: a thread starts another, and waits for it.

Commands:
  raw          the same on the C library's threads: pthread_create, pthread_join
  names        who is there: as the process sees its threads, and as the kernel does
  panic        one thread of three panics: who hears of it?
  exit         who waits for whom when main returns
  scope        threads that borrow from the function that started them
  channels     bounded, rendezvous, select, disconnected
  pool         a million tasks on a few threads; a task that panics; idle workers
  cores        how much faster several threads are than one, here and in Python
  versus       process or thread: the same job both ways, and what each costs
  wc PATH...   lines, words and bytes of all files below PATH, as wc prints them

Options:
  -h, --help   print this text

The text to read beside it: cargo doc -p threads --open
";

fn main() -> ExitCode {
    let command = match parse(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("threads: {error}\nTry `threads --help`.");
            return ExitCode::from(2);
        }
    };
    match command.run() {
        Ok(code) => code,
        // `threads names | head -1` ends quietly: the reader has seen enough.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("threads: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
}

/// A subcommand that was asked for.
enum Command {
    Plain(fn() -> demo::Outcome),
    Wc(Vec<PathBuf>),
}

impl Command {
    fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        match self {
            Command::Plain(run) => run().map(|()| ExitCode::SUCCESS),
            Command::Wc(paths) => demo::wc::run(&paths),
        }
    }
}

fn parse(mut arguments: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut command = None;
    while let Some(argument) = arguments.next()? {
        match (argument, &mut command) {
            (Short('h') | Long("help"), _) => return Ok(Command::Plain(help)),
            (Value(name), None) => command = Some(named(&name.to_string_lossy())?),
            (Value(path), Some(Command::Wc(paths))) => paths.push(path.into()),
            (unexpected, _) => return Err(unexpected.unexpected()),
        }
    }
    match command {
        Some(Command::Wc(paths)) if paths.is_empty() => Err("wc needs a PATH at least".into()),
        command => Ok(command.unwrap_or(Command::Plain(demo::start::run))),
    }
}

fn named(name: &str) -> Result<Command, String> {
    Ok(match name {
        "raw" => Command::Plain(demo::raw::run),
        "names" => Command::Plain(demo::names::run),
        "panic" => Command::Plain(demo::panic::run),
        "exit" => Command::Plain(demo::exit::run),
        "scope" => Command::Plain(demo::scope::run),
        "channels" => Command::Plain(demo::channels::run),
        "pool" => Command::Plain(demo::pool::run),
        "cores" => Command::Plain(demo::cores::run),
        "versus" => Command::Plain(demo::versus::run),
        "wc" => Command::Wc(Vec::new()),
        _ => return Err(format!("no command `{name}`")),
    })
}

fn help() -> demo::Outcome {
    demo::print(format_args!("{}", HELP.trim_end()))?;
    Ok(())
}
