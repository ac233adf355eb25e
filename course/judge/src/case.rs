//! The process that becomes the program.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, Signal};
use nix::sys::wait::{Id, WaitPidFlag, waitid};

use crate::Limit;
use crate::report::{Checked, Report};
use crate::spec::Spec;
use crate::wire::{self, Wire};
use crate::{folder, group, isolate, proc, role};

const SCENARIO: &str = "JUDGE_SCENARIO";
/// The file that takes what checks report.
const CHECKS: &str = "JUDGE_CHECKS";

/// Binds itself as the specification says, and becomes the program. Returns only if that failed.
pub(crate) fn main() -> i32 {
    let folder = PathBuf::from(std::env::var_os(role::FOLDER).unwrap_or_default());
    let Some(spec) =
        fs::read(folder.join(folder::SPEC)).ok().and_then(|it| Spec::get(&mut &*it).ok())
    else {
        return fail(&folder, "the specification can't be read");
    };
    if let Err(error) = nix::unistd::setsid() {
        return fail(&folder, &format!("no session of its own: {error}"));
    }
    let most = spec.most_processes();
    if let Err(error) = group::join(&folder) {
        folder::note(&folder, &format!("the control group can't be joined: {error}"));
    }
    if let Err(error) = isolate::settle(&folder, most, spec.confined) {
        return fail(&folder, &format!("it can't be isolated: {error}"));
    }
    // The supervisor blocks some, and an executed program inherits that.
    if let Err(error) = SigSet::empty().thread_set_mask() {
        return fail(&folder, &format!("signals can't be unblocked: {error}"));
    }
    // A shell starts what runs in its background with these ignored, and that is inherited, too.
    for ignored in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP] {
        // SAFETY: "default" runs no code.
        #[allow(unsafe_code, reason = "what a signal does can only be set so")]
        let _ = unsafe { nix::sys::signal::signal(ignored, SigHandler::SigDfl) };
    }
    // Where memory runs out, the kernel is to end the program, and not the judge. Anybody may.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    // A program that kills its parent, the supervisor, has nobody that waits for it any more.
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    for limit in &spec.limits {
        if let Err(error) = bind(*limit) {
            return fail(&folder, &format!("{limit:?} can't be set: {error}"));
        }
    }
    if let Err(error) = bind_processes(&folder, most) {
        return fail(&folder, &format!("the number of processes can't be limited: {error}"));
    }
    let mut command = command(&spec, &folder);
    let error = command.exec();
    fail(&folder, &format!("{:?} can't be executed: {error}", command.get_program()))
}

/// Says why, where the supervisor looks.
fn fail(folder: &Path, why: &str) -> i32 {
    let _ = fs::write(folder.join(folder::TROUBLE), why);
    127
}

fn bind(limit: Limit) -> nix::Result<()> {
    let (resource, soft, hard) = match limit {
        // At the hard limit comes SIGKILL, which could be anybody's: a second earlier, SIGXCPU.
        Limit::CpuSeconds(value) => (Resource::RLIMIT_CPU, value, value.saturating_add(1)),
        Limit::AddressSpace(value) => (Resource::RLIMIT_AS, value, value),
        Limit::OpenFiles(value) => (Resource::RLIMIT_NOFILE, value, value),
        Limit::FileSize(value) => (Resource::RLIMIT_FSIZE, value, value),
        // For the supervisor, who counts: the kernel's limit counts the user's other programs too.
        Limit::Processes(_) => return Ok(()),
    };
    setrlimit(resource, soft, hard)
}

/// The kernel's limit counts all that the user has, so it is set so high that others may start a few
/// meanwhile: it keeps a program that forks without end from filling the machine before the
/// supervisor, which has to wait for its turn, has ended it. Root it does not bind.
fn bind_processes(folder: &Path, most: u64) -> nix::Result<()> {
    const OTHERS: u64 = 256;
    if nix::unistd::geteuid().is_root() || folder.join(folder::PLACE).exists() {
        return Ok(());
    }
    let user = nix::unistd::getuid().as_raw();
    let own =
        |pid: &i32| fs::metadata(format!("/proc/{pid}")).is_ok_and(|process| process.uid() == user);
    let all = proc::numbers("/proc").filter(own).filter_map(proc::Stat::of);
    let now: u64 = all.map(|stat| stat.threads).sum();
    let (_, hard) = getrlimit(Resource::RLIMIT_NPROC)?;
    let wanted = hard.min(most.saturating_add(now + OTHERS));
    setrlimit(Resource::RLIMIT_NPROC, wanted, wanted)
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
    command
        .env("TMPDIR", folder.join(folder::TMP))
        .env_remove(role::VARIABLE)
        .env_remove(role::FOLDER)
        .env_remove(SCENARIO)
        .env_remove(CHECKS);
    if !spec.scenario.is_empty() {
        command.env(SCENARIO, &spec.scenario).env(CHECKS, folder.join(folder::CHECKS));
    }
    command.envs(spec.environment.iter().map(|(name, value)| (os(name), os(value))));
    if let Some(directory) = &spec.directory {
        command.current_dir(OsString::from_vec(directory.clone()));
    }
    command
}

/// What the environment of the program's processes has in it, unless they changed that.
pub(crate) fn marker(folder: &Path) -> Vec<u8> {
    let tmp = folder.join(folder::TMP);
    [b"TMPDIR=", tmp.as_os_str().as_bytes(), b"\0"].concat()
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
    before();
    let ended = catch_unwind(scenario);
    end(if ended.is_ok() { 0 } else { 101 });
}

/// How the scenario's process was when the scenario began.
struct Before {
    pid: u32,
    descriptors: Vec<(i32, String)>,
    checks: OsString,
}

static BEFORE: OnceLock<Before> = OnceLock::new();

fn before() -> Option<&'static Before> {
    let checks = std::env::var_os(CHECKS)?;
    let now = || Before { pid: std::process::id(), descriptors: descriptors(), checks };
    Some(BEFORE.get_or_init(now))
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
    if let Some(before) = BEFORE.get() {
        let this = std::process::id();
        if before.pid != this {
            let line = format!("process {this}, a child of {}", nix::unistd::getppid());
            report(RETURNED, false, &line);
        } else {
            for (number, target) in descriptors() {
                if !before.descriptors.iter().any(|(open, _)| *open == number) {
                    report(DESCRIPTOR, false, &format!("{number} ({target})"));
                }
            }
        }
        let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        if let Ok(status) = waitid(Id::All, ended)
            && let Some(pid) = status.pid()
        {
            let name = proc::Stat::of(pid.as_raw()).map_or_else(String::new, |stat| stat.name);
            report(ZOMBIE, false, &format!("process {pid} ({name})"));
        }
    }
    #[expect(clippy::disallowed_methods, reason = "it is no forked child, and nobody to return to")]
    std::process::exit(code)
}

/// Reports a check of the running scenario, which passes only if every check that the test declared
/// has reported.
///
/// Unlike an assertion it does not end the process, and unlike output it can't be forged by
/// accident. Any process of the scenario may report, and a name more than once: each report counts.
/// Returns `passed`. Outside of a scenario nothing is reported.
///
/// # Panics
///
/// When the report can't be written: the disk is full, or another root directory hides it.
pub fn check(name: &str, passed: bool, sentence: &str) -> bool {
    report(name, passed, sentence);
    passed
}

/// Names of what the scenario's process itself reports: no check has such a name by accident.
const DESCRIPTOR: &str = "\u{0}descriptor";
const ZOMBIE: &str = "\u{0}zombie";
const RETURNED: &str = "\u{0}returned";

/// Puts a report where it belongs.
pub(crate) fn sort(checked: Checked, report: &mut Report) {
    match checked.name.as_str() {
        DESCRIPTOR => report.left_over.descriptors.push(checked.sentence),
        // From outside it may have been seen too.
        ZOMBIE if report.left_over.zombies.contains(&checked.sentence) => {}
        ZOMBIE => report.left_over.zombies.push(checked.sentence),
        RETURNED => report.returned.push(checked.sentence),
        _ => report.checks.push(checked),
    }
}

fn report(name: &str, passed: bool, sentence: &str) {
    let Some(before) = before() else { return };
    let mut frame = Vec::new();
    let checked = Checked { name: name.to_owned(), passed, sentence: sentence.to_owned() };
    let _ = wire::send(&mut frame, &checked);
    // One write to a file opened for appending: reports of two processes don't mix.
    let file = OpenOptions::new().append(true).open(&before.checks);
    if let Err(error) = file.and_then(|mut file| file.write_all(&frame)) {
        // A failed check that is lost could make a pass.
        panic!("what the check {name:?} found can't be reported: {error}");
    }
}
