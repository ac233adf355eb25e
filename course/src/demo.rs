//! One run of a lesson's program, with a deadline for it and for all that it starts.

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use judge::Judge;

use crate::page::Page;
use crate::stop::Stop;

/// How a demo ended.
#[derive(Debug)]
pub(crate) enum Ending {
    Well,
    /// And why it did not.
    Badly(String),
}

/// How long a demo may run: `COURSE_DEADLINE` seconds.
///
/// # Errors
///
/// [`Stop::Usage`] if it is set to something else than a number of seconds.
pub(crate) fn deadline() -> Result<Duration, Stop> {
    let Some(text) = env::var_os("COURSE_DEADLINE") else { return Ok(Duration::from_secs(20)) };
    let seconds = text.to_str().and_then(|text| text.parse().ok()).filter(|seconds| *seconds > 0);
    seconds.map(Duration::from_secs).ok_or_else(|| {
        Stop::Usage(format!("COURSE_DEADLINE is {text:?}: say a number of seconds, above 0"))
    })
}

/// Runs a lesson's program in `folder`, and shows what it prints line by line while it runs.
///
/// The judge runs it, so it ends: at the deadline at the latest, with everything that it started; and also when the
/// learner presses Ctrl-C or the desk is killed. On a terminal the program gets a terminal of its own, and so behaves
/// as it would without the desk. It reads nothing: no demo may wait for input that nobody knows to type.
///
/// # Errors
///
/// [`Stop::Output`] if nobody reads what it prints any more; it is ended then.
pub(crate) fn run(
    page: &mut Page,
    folder: &Path,
    program: &Path,
    args: &[&str],
    deadline: Duration,
) -> Result<Ending, Stop> {
    // Demos panic on purpose, and a backtrace would hide what they show.
    let judge = Judge::program(program).args(args).env("RUST_BACKTRACE", "0");
    let judge = judge.dir(folder).deadline(deadline);
    let mut running = judge.terminal(page.is_terminal()).start();
    running.close_stdin();
    while let Some(line) = running.read_line() {
        page.raw(&format!("{line}\n"))?;
    }
    let report = running.finish();
    // What it says on standard error belongs there; if that is gone, so be it.
    let _ = io::stderr().write_all(report.stderr().as_bytes());
    page.raw("\n")?;
    Ok(match report.verdict() {
        Ok(()) => Ending::Well,
        Err(_) if report.timed_out() => Ending::Badly(format!(
            "it did not end within {deadline:?}, so it was stopped, with all that it had started \
             (COURSE_DEADLINE gives it more). Where it waited:\n{}",
            report.stuck()
        )),
        Err(why) => Ending::Badly(why),
    })
}
