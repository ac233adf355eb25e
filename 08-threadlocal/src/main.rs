//! The lesson's demo: run it without arguments, then with the name of a subcommand.

mod demo;

use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value};

const HELP: &str = "\
What nobody else may see: values per thread and per object, shown one idea at a time.

Usage: threadlocal [COMMAND]

Without a command: two threads greet their student, each from its own value of the same name.

Commands:
  object       a value per thread and per object: who sees which, and when each is dropped
  order        a thread ends: in which order its values are dropped
  key          what C has: a thousand keys, and what happens to values whose key goes
  pool         a thread pool uses a thread again: what the next task finds
  fork         a process forks: whose values are in the child?

Options:
  -h, --help   print this text

The text to read beside it: cargo doc -p threadlocal --open
";

fn main() -> ExitCode {
    // `threadlocal order | head -1` ends quietly, as other programs do: std ignores the signal of a
    // closed pipe, and then every `println!` panics.
    // SAFETY: the default action runs no code of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };

    let run = match parse(lexopt::Parser::from_env()) {
        Ok(run) => run,
        Err(error) => {
            eprintln!("threadlocal: {error}\nTry `threadlocal --help`.");
            return ExitCode::from(2);
        }
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("threadlocal: {error}");
            ExitCode::FAILURE
        }
    }
}

type Run = fn() -> demo::Outcome;

fn parse(mut arguments: lexopt::Parser) -> Result<Run, lexopt::Error> {
    let mut run = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(help),
            Value(name) if run.is_none() => run = Some(named(&name.to_string_lossy())?),
            unexpected => return Err(unexpected.unexpected()),
        }
    }
    Ok(run.unwrap_or(demo::hello::run))
}

fn named(name: &str) -> Result<Run, String> {
    Ok(match name {
        "object" => demo::object::run,
        "order" => demo::order::run,
        "key" => demo::key::run,
        "pool" => demo::pool::run,
        "fork" => demo::fork::run,
        _ => return Err(format!("no command `{name}`")),
    })
}

fn help() -> demo::Outcome {
    print!("{HELP}");
    Ok(())
}
