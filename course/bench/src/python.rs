//! Python rivals: an interpreter that stays, waits for its turn, and times itself.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::measure::Outcome;

/// Takes a number of calls from each line of standard input, and answers with nanoseconds.
const SERVE: &str = r#"
import sys, time
print("ready", flush=True)
for line in sys.stdin:
    calls = range(int(line))
    start = time.perf_counter_ns()
    for _ in calls:
        run()
    print(time.perf_counter_ns() - start, flush=True)
"#;

/// A running interpreter that has read a script, unlike [`Command`], which would start one a call.
///
/// Dropping it kills the interpreter and everything in its process group: `multiprocessing` can
/// hang at exit, and its workers outlive a killed parent.
#[derive(Debug)]
pub(crate) struct Python {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

/// The interpreter's name: `$PYTHON`, or `python3`.
pub(crate) fn interpreter() -> String {
    std::env::var("PYTHON").ok().filter(|name| !name.is_empty()).unwrap_or("python3".to_owned())
}

/// What the interpreter says its version is; `None` if there is none.
pub(crate) fn version() -> Option<String> {
    let output = Command::new(interpreter()).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or("Python ?").to_owned())
}

impl Python {
    /// Starts an interpreter on `script`, which defines `run()`.
    pub(crate) fn start(script: &str) -> Outcome<Self> {
        let name = interpreter();
        let mut child = Command::new(&name)
            .arg("-c")
            .arg(format!("{script}\n{SERVE}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => format!("{name} not found: skipped"),
                _ => format!("{name} did not start ({error}): skipped"),
            })?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both were asked for as pipes")
        };
        let mut python = Self { child, stdin, stdout: BufReader::new(stdout) };
        match python.line()?.as_str() {
            "ready" => Ok(python),
            other => Err(format!("{name} said {other:?} instead of \"ready\": skipped").into()),
        }
    }

    /// Calls `run()` so many times, and says how long the interpreter says it took.
    pub(crate) fn run(&mut self, calls: u64) -> Outcome<Duration> {
        writeln!(self.stdin, "{calls}")?;
        Ok(Duration::from_nanos(self.line()?.parse()?))
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            let name = interpreter();
            return Err(format!("{name} ended early, its message is above: skipped").into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let group = Pid::from_raw(self.child.id().cast_signed());
        // Both can only fail if the interpreter has gone and was reaped, and nobody else reaps it.
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}
