//! The lesson's demo: run it without arguments, then a server, a master and workers of your own.
#![forbid(unsafe_code)]

mod demo;

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use demo::options::Options;
use lexopt::prelude::{Long, Short, Value, ValueExt};

const HELP: &str = "\
Master and workers on many machines, and a queue server between them that speaks Python.

Usage: distributed [COMMAND] [OPTIONS]

Without a command: a server, a master and two workers, each a process of its own, on this machine.

Commands:
  serve          serve the tutorial's two queues, get_task_queue and get_result_queue
  master         put tasks, wait for their results
  worker         do tasks, until there have been none for a second
  wc PATH…       count lines, words and bytes of all files in and below the paths, and print what
                 `LC_ALL=C wc` prints of them: with two workers on this machine, or those of a server
                 (--connect)
  keygen FILE    make a key for servers and clients, and files for TLS beside it
  stats          how many tasks are ready, on lease, done, dead, and who works
  dead list      tasks that were tried too often, and why
  dead retry [ID…]  give them, or those with these ids, another life

Options:
  --listen ADDR:PORT    where to serve: 127.0.0.1:5000 without this
  --connect ADDR:PORT   where the server is: 127.0.0.1:5000 without this
  --redis URL           use the tasks in this Redis server instead (redis://[USER@]HOST[:PORT]); its password is
                        the key. Needs the feature `redis`.
  --key-file FILE       the key, in a file that only its owner may read
  --tls FILE            encrypt, with this side's file: keygen makes one for servers and one for clients
  --plain               go beyond this machine, unencrypted: for a network that you trust
  --tasks N             master: how many tasks: 10 without this
  --once                stats: print once, for scripts
  --stay                worker: wait for more tasks, however long
  -h, --help            print this text

Without --key-file the key is what the environment variable AUTHKEY says; on this machine the tutorial's
`abc` will do, with a warning.

The text to read beside it: cargo doc -p distributed --open
";

fn main() -> ExitCode {
    demo::start::tether();
    let command = match parse(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("distributed: {error}\nTry `distributed --help`.");
            return ExitCode::from(2);
        }
    };
    match command.run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("distributed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `distributed master | head -1` ends quietly, as other programs do.
fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|it| it.kind() == ErrorKind::BrokenPipe)
}

enum Command {
    Help,
    Start,
    With(fn(&Options) -> demo::Outcome, Options),
    Count(Options),
}

impl Command {
    /// False if the command has told already what went wrong.
    fn run(self) -> Result<bool, demo::Failure> {
        match self {
            Command::Help => std::io::stdout().write_all(HELP.as_bytes())?,
            Command::Start => demo::start::run()?,
            Command::With(run, options) => run(&options)?,
            Command::Count(options) => return demo::wc::run(&options),
        }
        Ok(true)
    }
}

fn parse(mut arguments: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut options = Options::default();
    let mut name: Option<String> = None;
    while let Some(argument) = arguments.next()? {
        match (argument, name.as_deref()) {
            (Short('h') | Long("help"), _) => return Ok(Command::Help),
            (Value(word), None) => name = Some(word.string()?),
            (Value(path), Some("wc")) => options.paths.push(path.into()),
            (Value(word), Some("dead")) => options.words.push(word.string()?),
            (Value(file), Some("keygen")) if options.file.is_none() => {
                options.file = Some(file.into())
            }
            (Long("listen"), Some("serve")) => options.address = arguments.value()?.string()?,
            (Long("connect"), Some("master" | "worker" | "wc" | "stats" | "dead")) => {
                options.address = arguments.value()?.string()?;
                options.connect = true;
            }
            (Long("redis"), Some("master" | "worker" | "wc" | "stats" | "dead")) => {
                if cfg!(not(feature = "redis")) {
                    return Err(demo::redis::MISSING.into());
                }
                options.redis = Some(arguments.value()?.string()?);
            }
            (Long("key-file"), Some("serve" | "master" | "worker" | "wc" | "stats" | "dead")) => {
                options.key_file = Some(arguments.value()?.into());
            }
            (Long("tls"), Some("serve" | "master" | "worker" | "wc" | "stats" | "dead")) => {
                options.tls = Some(arguments.value()?.into());
            }
            (Long("plain"), Some("serve" | "master" | "worker" | "wc" | "stats" | "dead")) => {
                options.plain = true;
            }
            (Long("once"), Some("stats")) => options.once = true,
            (Long("tasks"), Some("master")) => options.tasks = arguments.value()?.parse()?,
            (Long("stay"), Some("worker")) => options.stay = true,
            (unexpected, _) => return Err(unexpected.unexpected()),
        }
    }
    Ok(match name.as_deref() {
        None => Command::Start,
        Some("serve") => Command::With(demo::serve::run, options),
        Some("master") => Command::With(demo::master::run, options),
        Some("worker") => Command::With(demo::worker::run, options),
        Some("wc") if options.paths.is_empty() => {
            return Err("wc: which files, or folders?".into());
        }
        Some("wc") if !options.has_server() && options.is_for_server() => {
            return Err("wc: for which server is that? Say --connect ADDR:PORT, too".into());
        }
        Some("wc") => Command::Count(options),
        Some("stats") => Command::With(demo::stats::run, options),
        Some("dead")
            if !matches!(options.words.first().map(String::as_str), Some("list" | "retry")) =>
        {
            return Err("`dead list`, or `dead retry`?".into());
        }
        Some("dead") => Command::With(demo::dead::run, options),
        Some("keygen") if options.file.is_none() => {
            return Err("keygen needs the name of a file to write".into());
        }
        Some("keygen") => Command::With(demo::keygen::run, options),
        Some(other) => return Err(format!("no command `{other}`").into()),
    })
}
