use std::fmt;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::wire::wire;

/// How the program's first process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal.
    Signaled(i32),
    /// Not before the deadline.
    Deadline,
    /// It had more processes than it may have.
    TooManyProcesses,
    /// It was not started, for the reason in [`Report::trouble`].
    NotStarted,
    /// Nobody saw it: the supervisor was killed, by the program or by somebody else, and all that
    /// the program had started was ended.
    Unknown,
}

/// A process that the supervisor saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub pid: i32,
    /// The number of its parent when it was first seen.
    pub parent: i32,
    /// Its name, as in /proc/PID/comm.
    pub name: String,
    /// The most threads that it was seen with.
    pub threads: u64,
    /// When it was first seen, after the start.
    pub start: Duration,
    /// When it was seen no more; `None` if it was there until it was ended.
    pub end: Option<Duration>,
}
wire!(Seen { pid, parent, name, threads, start, end });

/// A thread that the supervisor saw; each process has at least one, of the process's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenThread {
    /// Its number.
    pub thread: i32,
    /// The number of its process.
    pub process: i32,
    /// Its name, as in /proc/PID/task/TID/comm: the first 15 bytes.
    pub name: String,
    /// When it was first seen, after the start.
    pub start: Duration,
    /// When it was seen no more; `None` if it was there until it was ended.
    pub end: Option<Duration>,
}
wire!(SeenThread { thread, process, name, start, end });

/// What the program left over when its first process had ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Processes that still ran, in words.
    pub orphans: Vec<String>,
    /// Children that nobody had waited for, in words.
    pub zombies: Vec<String>,
    /// Descriptors that a scenario opened and did not close, in words.
    pub descriptors: Vec<String>,
    /// Files in its temporary directory.
    pub files: Vec<String>,
    /// System V objects that it made, and new names in /dev/shm and /dev/mqueue.
    pub ipc: Vec<String>,
}
wire!(Leftovers { orphans, zombies, descriptors, files, ipc });

impl Leftovers {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        *self == Leftovers::default()
    }
}

impl fmt::Display for Leftovers {
    /// All of it on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            ("orphans", &self.orphans),
            ("zombies", &self.zombies),
            ("descriptors", &self.descriptors),
            ("files", &self.files),
            ("IPC objects", &self.ipc),
        ];
        let there = kinds.iter().filter(|(_, lines)| !lines.is_empty());
        let words: Vec<String> =
            there.map(|(kind, lines)| format!("{kind}: {}", lines.join(", "))).collect();
        f.write_str(&words.join("; "))
    }
}

/// One report of [`check`](crate::check).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The check's name.
    pub name: String,
    /// Whether it held.
    pub passed: bool,
    /// What to say if it did not.
    pub sentence: String,
}
wire!(Checked { name, passed, sentence });

/// All that was seen of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub(crate) pid: i32,
    /// Kind and number: see `ending`.
    pub(crate) kind: u64,
    pub(crate) number: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) truncated: bool,
    pub(crate) elapsed: Duration,
    pub(crate) processes: Vec<Seen>,
    pub(crate) threads: Vec<SeenThread>,
    pub(crate) left_over: Leftovers,
    pub(crate) stuck: Vec<String>,
    pub(crate) means: Vec<String>,
    pub(crate) checks: Vec<Checked>,
    pub(crate) declared: Vec<String>,
    pub(crate) trouble: Vec<String>,
    /// Processes in which the scenario's function returned, though they are not its own.
    pub(crate) returned: Vec<String>,
}
wire!(Report {
    pid,
    kind,
    number,
    stdout,
    stderr,
    truncated,
    elapsed,
    processes,
    threads,
    left_over,
    stuck,
    means,
    checks,
    declared,
    trouble,
    returned,
});

impl Report {
    /// How it ended.
    pub fn ending(&self) -> Ending {
        match self.kind {
            0 => Ending::Exited(self.number),
            1 => Ending::Signaled(self.number),
            2 => Ending::Deadline,
            3 => Ending::TooManyProcesses,
            4 => Ending::NotStarted,
            _ => Ending::Unknown,
        }
    }

    pub(crate) fn set_ending(&mut self, ending: Ending) {
        (self.kind, self.number) = match ending {
            Ending::Exited(code) => (0, code),
            Ending::Signaled(signal) => (1, signal),
            Ending::Deadline => (2, 0),
            Ending::TooManyProcesses => (3, 0),
            Ending::NotStarted => (4, 0),
            Ending::Unknown => (5, 0),
        };
    }

    pub(crate) fn not_started(why: String) -> Report {
        let mut report = Report { trouble: vec![why], ..Report::default() };
        report.set_ending(Ending::NotStarted);
        report
    }

    /// The exit code, if it ended by itself.
    pub fn code(&self) -> Option<i32> {
        match self.ending() {
            Ending::Exited(code) => Some(code),
            _ => None,
        }
    }

    /// The signal that ended it, if one did.
    pub fn signal(&self) -> Option<i32> {
        match self.ending() {
            Ending::Signaled(signal) => Some(signal),
            _ => None,
        }
    }

    /// Whether the deadline came first.
    pub fn timed_out(&self) -> bool {
        self.ending() == Ending::Deadline
    }

    /// What it wrote to stdout; bytes that are no UTF-8 are replaced.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What it wrote to stderr; bytes that are no UTF-8 are replaced.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The bytes that it wrote to stdout.
    pub fn stdout_bytes(&self) -> &[u8] {
        &self.stdout
    }

    /// The pid of the program's first process, as seen from outside.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// From the start to the first process's end.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Every process that was seen. One that lives for less than the time between two looks, some
    /// milliseconds, may be missed.
    pub fn processes(&self) -> &[Seen] {
        &self.processes
    }

    /// Every thread that was seen, with the same reservation.
    pub fn threads(&self) -> &[SeenThread] {
        &self.threads
    }

    /// Whether an output went beyond the cap, and was cut off.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// What it left over. None of it is left when there is a report: it was ended or removed.
    pub fn left_over(&self) -> &Leftovers {
        &self.left_over
    }

    /// Where each process and thread waited at the deadline, in plain words; empty if it did
    /// not come to that.
    pub fn stuck(&self) -> String {
        self.stuck.join("\n")
    }

    /// What held the program, in words: process group, subreaper, namespace, limits.
    pub fn means(&self) -> &[String] {
        &self.means
    }

    /// What the checks reported.
    pub fn checks(&self) -> &[Checked] {
        &self.checks
    }

    /// What went wrong with the running itself.
    pub fn trouble(&self) -> &[String] {
        &self.trouble
    }

    /// Pass or the first reason why not, in the order in which causes come before consequences: a
    /// forked child that came back into the scenario, a check that failed, the deadline, a signal, an
    /// exit code, trouble, cut output, leftovers, a check without a report.
    ///
    /// # Errors
    ///
    /// The reason.
    pub fn verdict(&self) -> Result<(), String> {
        if let Some(returned) = self.returned.first() {
            return Err(format!("a forked child came back into the scenario: {returned}"));
        }
        if let Some(failed) = self.checks.iter().find(|check| !check.passed) {
            return Err(format!("check {:?} failed: {}", failed.name, failed.sentence));
        }
        match self.ending() {
            Ending::Exited(0) => {}
            Ending::Exited(101) => return Err(self.panic()),
            Ending::Exited(code) => return Err(format!("it ended with exit code {code}")),
            Ending::Signaled(signal) => {
                let name = Signal::try_from(signal).map_or("", Signal::as_str);
                return Err(format!("it was killed by signal {signal} {name}")
                    .trim_end()
                    .to_owned());
            }
            Ending::Deadline => {
                return Err(format!("it did not end before the deadline:\n{}", self.stuck()));
            }
            Ending::TooManyProcesses => {
                return Err("it had more processes and threads than it may have".to_owned());
            }
            Ending::NotStarted => {
                return Err(format!("it was not started: {}", self.trouble.join("; ")));
            }
            Ending::Unknown => {
                return Err(format!("how it ended is not known: {}", self.trouble.join("; ")));
            }
        }
        if !self.trouble.is_empty() {
            return Err(format!("the run had trouble: {}", self.trouble.join("; ")));
        }
        if self.truncated {
            return Err("it wrote more than is kept: its output is cut off".to_owned());
        }
        if !self.left_over.is_empty() {
            return Err(format!("it left something over: {}", self.left_over));
        }
        let reported = |name: &&String| self.checks.iter().any(|check| check.name == **name);
        match self.declared.iter().find(|name| !reported(name)) {
            Some(missing) => Err(format!("check {missing:?} never reported")),
            None => Ok(()),
        }
    }

    /// The exit code 101, and the message of the panic that it may stand for.
    fn panic(&self) -> String {
        let stderr = self.stderr();
        let message = stderr.split_once(" panicked at ").map(|(_, rest)| {
            let lines: Vec<&str> = rest.lines().take(2).collect();
            format!(": it panicked at {}", lines.join(" "))
        });
        format!("it ended with exit code 101{}", message.unwrap_or_default())
    }

    /// Panics, with the whole report, unless [`verdict`](Report::verdict) is a pass.
    ///
    /// # Panics
    ///
    /// See above.
    #[track_caller]
    pub fn assert_clean(&self) {
        if let Err(reason) = self.verdict() {
            panic!("{reason}\n{self}");
        }
    }

    /// Panics, with the whole report, if anything was left over, however it ended.
    ///
    /// # Panics
    ///
    /// See above.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        assert!(self.left_over.is_empty(), "it left something over\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "process {}: {:?} after {:?}", self.pid, self.ending(), self.elapsed)?;
        for (title, lines) in [
            ("came back", &self.returned),
            ("trouble", &self.trouble),
            ("stuck", &self.stuck),
            ("orphans", &self.left_over.orphans),
            ("zombies", &self.left_over.zombies),
            ("descriptors", &self.left_over.descriptors),
            ("files", &self.left_over.files),
            ("ipc", &self.left_over.ipc),
            ("means", &self.means),
        ] {
            if !lines.is_empty() {
                writeln!(f, "{title}:")?;
                lines.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
            }
        }
        for check in &self.checks {
            let word = if check.passed { "passed" } else { "FAILED" };
            writeln!(f, "check {} {word}: {}", check.name, check.sentence)?;
        }
        let cut = if self.truncated { " (cut off)" } else { "" };
        writeln!(f, "--- stdout{cut}\n{}", self.stdout())?;
        writeln!(f, "--- stderr{cut}\n{}", self.stderr())
    }
}
