#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod distributed;
mod fork;
mod ipc;
#[expect(unsafe_code, reason = "a limit is bare system calls, not somebody's wrapper of them")]
mod limit;
mod lock;
mod measure;
mod pipes;
mod pool;
mod process;
mod python;
mod round_trip;
mod run;
mod subprocess;
mod table;
mod threadlocal;
mod threads;
mod words;

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use lexopt::prelude::*;
use measure::{Measure, Outcome};
use run::Plan;
use table::Report;

const HELP: &str = "\
The lessons beside their rivals and their limits.

Usage: cargo course bench [OPTIONS] [LESSON | LESSON/MEASURE]...

Without a lesson, all are measured. LESSON is a lesson's name, as `--list` has it.

  -q, --quick       a few seconds a lesson: shorter turns, fewer rounds
  -r, --rounds N    rounds a measure (21, quick: 6)
  -p, --pin         everything on one CPU (round-trip-pinned is, without this too)
  -j, --json        one JSON object a measure, one a line
  -c, --check       exit with 1 if a ratio that was asked for is not met
  -l, --list        name the measures, and run none
  -h, --help        this text

Python rivals are run by python3, or by $PYTHON, if it is there.
";

/// What the command line asks for.
struct Request {
    plan: Plan,
    json: bool,
    check: bool,
    list: bool,
    names: Vec<String>,
}

fn main() -> ExitCode {
    // What a bare re-execution runs: before anything else, as it is to cost nothing.
    if env::args_os().nth(1).is_some_and(|argument| argument == process::NOTHING) {
        return ExitCode::SUCCESS;
    }
    ::process::init();
    match run() {
        Ok(code) => code,
        // `| head` has seen enough.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
}

fn run() -> Outcome<ExitCode> {
    let lessons = [
        fork::MEASURES,
        process::MEASURES,
        pool::MEASURES,
        subprocess::MEASURES,
        ipc::MEASURES,
        threads::MEASURES,
        lock::MEASURES,
        threadlocal::MEASURES,
        distributed::MEASURES,
    ];
    let all: Vec<&Measure> = lessons.into_iter().flatten().collect();
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if let Some((first, rest)) = arguments.split_first()
        && first == run::INSIDE
    {
        let rest: Option<Vec<_>> = rest.iter().map(|arg| arg.to_str().map(str::to_owned)).collect();
        run::inside(&all, &rest.unwrap_or_default())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = io::stdout().lock();
    let Some(request) = parse(arguments)? else {
        write!(out, "{HELP}")?;
        return Ok(ExitCode::SUCCESS);
    };
    let chosen = choose(&all, &request.names)?;
    if request.list {
        for measure in chosen {
            writeln!(out, "{:<24}{}", measure.name, measure.job)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let failed = measure(&chosen, &request, &mut out)?;
    Ok(if request.check && failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Measures and prints; whether anything failed or missed its ratio.
fn measure(chosen: &[&Measure], request: &Request, out: &mut impl Write) -> Outcome<bool> {
    if !request.json {
        writeln!(out, "{}\n{}\n", machine(), table::LEGEND)?;
    }
    let mut missed = Vec::new();
    for measure in chosen {
        let pinned = measure.pinned || request.plan.pin;
        let report = match run::run(measure, request.plan) {
            Ok(samples) => Report::new(measure, pinned, &samples),
            Err(error) => {
                eprintln!("bench: {}: {error}", measure.name);
                missed.push(measure.name);
                continue;
            }
        };
        if report.failed() {
            missed.push(measure.name);
        }
        if request.json {
            writeln!(out, "{}", serde_json::to_string(&report)?)?;
        } else {
            writeln!(out, "{report}")?;
        }
        out.flush()?;
    }
    if !request.json {
        match missed.as_slice() {
            [] => writeln!(out, "All ratios that were asked for and could be measured are met.")?,
            missed => writeln!(out, "Not met: {}.", missed.join(", "))?,
        }
    }
    Ok(!missed.is_empty())
}

fn parse(arguments: Vec<OsString>) -> Outcome<Option<Request>> {
    let (mut quick, mut rounds, mut pin) = (false, None, false);
    let (mut json, mut check, mut list, mut names) = (false, false, false, Vec::new());
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('q') | Long("quick") => quick = true,
            Short('r') | Long("rounds") => rounds = Some(parser.value()?.parse::<u32>()?.max(1)),
            Short('p') | Long("pin") => pin = true,
            Short('j') | Long("json") => json = true,
            Short('c') | Long("check") => check = true,
            Short('l') | Long("list") => list = true,
            Short('h') | Long("help") => return Ok(None),
            Value(name) => names.push(name.string()?),
            unknown => return Err(format!("{}; see --help", unknown.unexpected()).into()),
        }
    }
    let (usual, processes, turn) = if quick { (6, 2, 5) } else { (21, 3, 30) };
    let turn = Duration::from_millis(turn);
    let plan = Plan { rounds: rounds.unwrap_or(usual), processes, turn, pin };
    Ok(Some(Request { plan, json, check, list, names }))
}

/// The measures that are named, whole lessons or single ones, in the usual order.
fn choose<'a>(all: &[&'a Measure], names: &[String]) -> Outcome<Vec<&'a Measure>> {
    let is = |measure: &Measure, name: &str| {
        measure.name == name || measure.name.split('/').next() == Some(name)
    };
    for name in names {
        if !all.iter().any(|measure| is(measure, name)) {
            let text = format!("no lesson and no measure is called {name:?}; --list names them");
            return Err(text.into());
        }
    }
    let wanted =
        |measure: &&&Measure| names.is_empty() || names.iter().any(|name| is(measure, name));
    Ok(all.iter().filter(wanted).copied().collect())
}

/// What the figures were measured on, and how quiet it was.
fn machine() -> String {
    let cpus = thread::available_parallelism().map_or(1, |cpus| cpus.get());
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let python = python::version();
    let missing = || format!("{} not found: skipped", python::interpreter());
    let python = python.unwrap_or_else(missing);
    let build = if cfg!(debug_assertions) { " Built for debugging: use --release." } else { "" };
    let busy = load.split(' ').next().unwrap_or("?");
    format!("Linux {}, {cpus} CPUs, {python}, load {busy}.{build}", kernel.trim())
}
