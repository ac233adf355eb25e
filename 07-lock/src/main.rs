//! The lesson's demo: run it without arguments, then with the name of a subcommand.

mod demo;

use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value};

const HELP: &str = "\
Who may touch what, and when, shown one idea at a time.

Usage: lock [COMMAND]

Without a command: two threads change a balance by +n and -n, without a lock and with one.

Commands:
  race         how an update is lost, in slow motion
  steps        three locks, each better than the one before: what they cost
  condvar      wait until something has changed; wake exactly so many
  rwlock       many readers or one writer
  semaphore    at most so many at a time
  event        something has happened, and all who waited are told
  barrier      all wait for the last one; and what if one never comes
  rlock        a lock that its holder may take again
  poison       a panic under a lock, and a wait that has an end
  deadlock     one shown, one found before it happens, one avoided

Options:
  -h, --help   print this text

The text to read beside it: cargo doc -p lock --open
";

fn main() -> ExitCode {
    // `lock steps | head -1` ends quietly, as other programs do: std ignores the signal of a closed
    // pipe, and then every `println!` panics.
    // SAFETY: the default action runs no code of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };

    let run = match parse(lexopt::Parser::from_env()) {
        Ok(run) => run,
        Err(error) => {
            eprintln!("lock: {error}\nTry `lock --help`.");
            return ExitCode::from(2);
        }
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lock: {error}");
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
    Ok(run.unwrap_or(demo::balance::run))
}

fn named(name: &str) -> Result<Run, String> {
    Ok(match name {
        "race" => demo::race::run,
        "steps" => demo::steps::run,
        "condvar" => demo::condvar::run,
        "rwlock" => demo::rwlock::run,
        "semaphore" => demo::semaphore::run,
        "event" => demo::event::run,
        "barrier" => demo::barrier::run,
        "rlock" => demo::rlock::run,
        "poison" => demo::poison::run,
        "deadlock" => demo::deadlock::run,
        _ => return Err(format!("no command `{name}`")),
    })
}

fn help() -> demo::Outcome {
    print!("{HELP}");
    Ok(())
}
