//! The lesson's demo: run it without arguments, then with the name of a subcommand.

mod demo;

use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value};
use nix::sys::signal::{SigHandler, Signal, signal};

const HELP: &str = "\
Queues, pipes and shared memory between processes, shown one idea at a time.

Usage: ipc [COMMAND]

Without a command: one process puts letters into a queue, another one gets them.

Commands:
  queue        several who put, several who get, one who is killed
  pipe         a connection: questions and answers, an open file, the end
  memory       shared memory: seen by both, without a name, a counter with and without a lock
  lock         a lock's owner is killed: who is told, and when
  socket       a Unix socket: who is there, and the file that a crash leaves behind
  signal       signals: how many of three arrive, waited for like messages
  ipc-channel  Servo's crate: what it does well, and its traps
  compare      the same message, sent in all these ways and timed

Options:
  -h, --help   print this text

The text to read beside it: cargo doc -p ipc --open
";

fn main() -> ExitCode {
    // `ipc compare | head -1` ends quietly, as other programs do: std ignores the signal of a closed
    // pipe, and then every `println!` panics.
    // SAFETY: the default action runs no code of ours.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };

    let run = match parse(lexopt::Parser::from_env()) {
        Ok(run) => run,
        Err(error) => {
            eprintln!("ipc: {error}\nTry `ipc --help`.");
            return ExitCode::from(2);
        }
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ipc: {error}");
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
    Ok(run.unwrap_or(demo::start::run))
}

fn named(name: &str) -> Result<Run, String> {
    Ok(match name {
        "queue" => demo::queue::run,
        "pipe" => demo::pipe::run,
        "memory" => demo::memory::run,
        "lock" => demo::lock::run,
        "socket" => demo::socket::run,
        "signal" => demo::signal::run,
        "ipc-channel" => demo::ipc_channel::run,
        "compare" => demo::compare::run,
        _ => return Err(format!("no command `{name}`")),
    })
}

fn help() -> demo::Outcome {
    print!("{HELP}");
    Ok(())
}
