//! The process that becomes the program.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, Signal};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};

use crate::Limit;
use crate::report::Checked;
use crate::role;
use crate::spec::Spec;
use crate::wire::{self, Wire};

/// The supervisor's folder: the specification comes in it.
pub(crate) const FOLDER: &str = "JUDGE_FOLDER";
const SCENARIO: &str = "JUDGE_SCENARIO";
/// The file that takes what checks report.
const CHECKS: &str = "JUDGE_CHECKS";

/// Binds itself as the specification says, and becomes the program. Returns only if that failed.
pub(crate) fn main() -> i32 {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap_or_default());
    let Some(spec) = fs::read(folder.join("spec")).ok().and_then(|it| Spec::get(&mut &*it).ok())
    else {
        return fail(&folder, "the specification can't be read");
    };
    if let Err(error) = nix::unistd::setsid() {
        return fail(&folder, &format!("no session of its own: {error}"));
    }
    for limit in &spec.limits {
        if let Err(error) = bind(*limit) {
            return fail(&folder, &format!("{limit:?} can't be set: {error}"));
        }
    }
    let mut command = command(&spec, &folder);
    let error = command.exec();
    fail(&folder, &format!("{:?} can't be executed: {error}", command.get_program()))
}

/// Says why, where the supervisor looks.
fn fail(folder: &Path, why: &str) -> i32 {
    let _ = fs::write(folder.join("trouble"), why);
    127
}

fn bind(limit: Limit) -> nix::Result<()> {
    let (resource, value) = match limit {
        Limit::CpuSeconds(value) => (Resource::RLIMIT_CPU, value),
        Limit::AddressSpace(value) => (Resource::RLIMIT_AS, value),
        Limit::OpenFiles(value) => (Resource::RLIMIT_NOFILE, value),
        Limit::FileSize(value) => (Resource::RLIMIT_FSIZE, value),
        // For the supervisor, who counts: the kernel's limit counts the user's other programs too.
        Limit::Processes(_) => return Ok(()),
    };
    setrlimit(resource, value, value)
}

fn command(spec: &Spec, folder: &Path) -> Command {
    let os = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    let mut command = if spec.program.is_empty() {
        let this = fs::read_link("/proc/self/exe").unwrap_or_else(|_| "/proc/self/exe".into());
        Command::new(this)
    } else {
        Command::new(os(&spec.program))
    };
    if spec.environment_cleared {
        command.env_clear();
    }
    command.args(spec.arguments.iter().map(|argument| os(argument)));
    command.env("TMPDIR", folder.join("tmp")).env_remove(role::VARIABLE).env_remove(FOLDER);
    if !spec.scenario.is_empty() {
        command.env(SCENARIO, &spec.scenario).env(CHECKS, folder.join("checks"));
    }
    command.envs(spec.environment.iter().map(|(name, value)| (os(name), os(value))));
    if let Some(directory) = &spec.directory {
        command.current_dir(OsString::from_vec(directory.clone()));
    }
    command
}

/// Whether this process is to run that scenario.
pub(crate) fn is_named(name: &str) -> bool {
    std::env::var_os(SCENARIO).is_some_and(|wanted| wanted == name)
}

/// Runs a scenario before main begins, with what Rust's runtime would have set up by then.
pub(crate) fn run(scenario: fn()) {
    // SAFETY: no other thread exists yet, and "ignore" runs no code.
    #[allow(unsafe_code, reason = "Rust's main ignores SIGPIPE; a scenario begins before it")]
    let _ = unsafe { nix::sys::signal::signal(Signal::SIGPIPE, SigHandler::SigIgn) };
    open_before();
    let ended = catch_unwind(scenario);
    end(if ended.is_ok() { 0 } else { 101 });
}

/// The descriptors that were open when the scenario began.
fn open_before() -> &'static [(i32, String)] {
    static BEFORE: std::sync::OnceLock<Vec<(i32, String)>> = std::sync::OnceLock::new();
    BEFORE.get_or_init(descriptors)
}

fn descriptors() -> Vec<(i32, String)> {
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let mut all: Vec<(i32, String)> = entries
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            let target = fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned();
            // The listing itself has one open.
            (!target.ends_with("/fd")).then_some((number, target))
        })
        .collect();
    all.sort();
    all
}

/// Ends the process as a return from main would, and reports what only it can see.
pub(crate) fn end(code: i32) -> ! {
    if std::env::var_os(SCENARIO).is_some() {
        for (number, target) in descriptors() {
            if !open_before().iter().any(|(before, _)| *before == number) {
                report("\u{0}descriptor", false, &format!("{number} ({target})"));
            }
        }
        let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::All, ended) {
            Ok(WaitStatus::StillAlive) | Err(_) => {}
            Ok(zombie) => report("\u{0}zombie", false, &format!("{zombie:?}")),
        }
    }
    #[expect(clippy::disallowed_methods, reason = "it is no forked child, and nobody to return to")]
    std::process::exit(code)
}

/// Reports a check of the running scenario, which passes only if every check that the test declared
/// has reported.
///
/// Unlike an assertion it does not end the process, and unlike output it can't be forged by
/// accident. Any process of the scenario may report. Returns `passed`.
pub fn check(name: &str, passed: bool, sentence: &str) -> bool {
    report(name, passed, sentence);
    passed
}

fn report(name: &str, passed: bool, sentence: &str) {
    let Some(path) = std::env::var_os(CHECKS) else { return };
    let mut frame = Vec::new();
    let checked = Checked { name: name.to_owned(), passed, sentence: sentence.to_owned() };
    let _ = wire::send(&mut frame, &checked);
    // One write to a file opened for appending: reports of two processes don't mix.
    let file = OpenOptions::new().append(true).create(true).open(path);
    let _ = file.and_then(|mut file| file.write_all(&frame));
}
