//! The lesson's demo: run it without arguments, then with the name of a subcommand.

#![forbid(unsafe_code)]

mod demo;

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value};

const HELP: &str = "\
Other people's programs, shown one idea at a time.

Usage: subprocess [COMMAND]

Without a command: nslookup runs, first left alone, then spoken to.

Commands:
  call PROGRAM [ARGUMENT]...         run it, and hand on its exit code
  communicate PROGRAM [ARGUMENT]...  send it our input, collect its output, hand on its exit code
  codes        what there is to learn of a program's end, or of its not starting
  shell        a file's name that is a command: with a shell, and without one
  deadlock     write all, then read: why that hangs, and `communicate` does not
  timeout      a program with children and grandchildren, none of which wants to end
  pipeline     three programs in a row, and how each of them ended

Options:
  -h, --help   print this text

The text to read beside it: cargo doc -p subprocess --open
";

fn main() -> ExitCode {
    let command = match parse(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("subprocess: {error}\nTry `subprocess --help`.");
            return ExitCode::from(2);
        }
    };
    match command.run(&mut io::stdout()) {
        Ok(code) => ExitCode::from(code),
        // `| head` has seen enough.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("subprocess: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
}

/// A subcommand that was asked for.
enum Command {
    Plain(fn(&mut io::Stdout) -> demo::Outcome),
    Other(fn(&mut io::Stdout, &[OsString]) -> demo::Outcome<u8>, Vec<OsString>),
}

impl Command {
    fn run(self, out: &mut io::Stdout) -> demo::Outcome<u8> {
        match self {
            Command::Plain(run) => run(out).map(|()| 0),
            Command::Other(run, args) => run(out, &args),
        }
    }
}

fn parse(mut arguments: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let command = match arguments.next()? {
        None => Command::Plain(demo::nslookup::run),
        Some(Short('h') | Long("help")) => Command::Plain(help),
        Some(Value(name)) => match &*name.to_string_lossy() {
            // All that follows is the other program's, options included.
            "call" => return other(demo::any::call, "call", arguments),
            "communicate" => return other(demo::any::communicate, "communicate", arguments),
            "codes" => Command::Plain(demo::codes::run),
            "shell" => Command::Plain(demo::shell::run),
            "deadlock" => Command::Plain(demo::deadlock::run),
            demo::deadlock::NAIVE => Command::Plain(demo::deadlock::naive),
            "timeout" => Command::Plain(demo::timeout::run),
            "pipeline" => Command::Plain(demo::pipeline::run),
            name => return Err(format!("no command `{name}`").into()),
        },
        Some(unexpected) => return Err(unexpected.unexpected()),
    };
    match arguments.next()? {
        Some(Short('h') | Long("help")) => Ok(Command::Plain(help)),
        Some(unexpected) => Err(unexpected.unexpected()),
        None => Ok(command),
    }
}

fn other(
    run: fn(&mut io::Stdout, &[OsString]) -> demo::Outcome<u8>,
    name: &str,
    mut arguments: lexopt::Parser,
) -> Result<Command, lexopt::Error> {
    let args: Vec<_> = arguments.raw_args()?.collect();
    match args.first().and_then(|first| first.to_str()) {
        Some("-h" | "--help") => Ok(Command::Plain(help)),
        _ if args.is_empty() => Err(format!("`{name}` needs a program to run").into()),
        _ => Ok(Command::Other(run, args)),
    }
}

fn help(out: &mut io::Stdout) -> demo::Outcome {
    Ok(out.write_all(HELP.as_bytes())?)
}
