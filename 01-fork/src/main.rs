//! The lesson's demo: run it without arguments, then with the name of a subcommand.

mod demo;

use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value};
use nix::sys::signal::{SigHandler, Signal, signal};

const HELP: &str = "\
Child processes from the bare system call, shown one idea at a time.

Usage: fork [COMMAND]

Without a command: a process forks, and both sides say who they are.

Commands:
  exit         what arrives of an exit code, a signal, a panic
  zombie       a child that has ended and that nobody has waited for
  orphan       a child whose parent ends first, and who adopts it
  buffer       buffered output: printed once, and (on purpose) twice
  cow          copy-on-write: which memory is copied, and when
  threads      a process with four threads forks: who is in the child?
  lock         a lock that another thread holds at the fork
  tree [PID]   draw the processes below this one, or below PID

Options:
  -h, --help   print this text

The text to read beside it: cargo doc -p fork --open
";

fn main() -> ExitCode {
    // `fork tree | head -1` ends quietly, as other programs do: std ignores the signal of a closed
    // pipe, and then every `println!` panics.
    // SAFETY: the default action runs no code of ours.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };

    let command = match parse(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("fork: {error}\nTry `fork --help`.");
            return ExitCode::from(2);
        }
    };
    match command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fork: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A subcommand that was asked for.
#[derive(Clone, Copy)]
enum Command {
    Plain(fn() -> demo::Outcome),
    Tree(Option<i32>),
}

impl Command {
    fn run(self) -> demo::Outcome {
        match self {
            Command::Plain(run) => run(),
            Command::Tree(pid) => demo::tree::run(pid),
        }
    }
}

fn parse(mut arguments: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut command = None;
    while let Some(argument) = arguments.next()? {
        match (argument, command) {
            (Short('h') | Long("help"), _) => return Ok(Command::Plain(help)),
            (Value(name), None) => command = Some(named(&name.to_string_lossy())?),
            (Value(pid), Some(Command::Tree(None))) => {
                let pid = pid.to_string_lossy();
                let number = pid.parse().map_err(|_| format!("`{pid}` is no process id"))?;
                command = Some(Command::Tree(Some(number)));
            }
            (unexpected, _) => return Err(unexpected.unexpected()),
        }
    }
    Ok(command.unwrap_or(Command::Plain(demo::start::run)))
}

fn named(name: &str) -> Result<Command, String> {
    Ok(match name {
        "exit" => Command::Plain(demo::exit::run),
        "zombie" => Command::Plain(demo::zombie::run),
        "orphan" => Command::Plain(demo::orphan::run),
        "buffer" => Command::Plain(demo::buffer::run),
        "cow" => Command::Plain(demo::cow::run),
        "threads" => Command::Plain(demo::threads::run),
        "lock" => Command::Plain(demo::lock::run),
        "tree" => Command::Tree(None),
        _ => return Err(format!("no command `{name}`")),
    })
}

fn help() -> demo::Outcome {
    print!("{HELP}");
    Ok(())
}
