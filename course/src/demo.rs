//! One run of a lesson's program.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::page::Page;
use crate::stop::Stop;
use crate::workspace::Workspace;

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

/// Runs a lesson's program.
///
/// # Errors
///
/// [`Stop::Failed`] if it can't be started, [`Stop::Output`] if nobody reads what it prints.
pub(crate) fn run(
    page: &mut Page,
    workspace: &Workspace,
    program: &Path,
    args: &[&str],
    deadline: Duration,
) -> Result<Ending, Stop> {
    let _ = deadline;
    page.bytes(b"")?;
    let status = Command::new(program)
        .args(args)
        .current_dir(workspace.root())
        .stdin(Stdio::null())
        .status()
        .map_err(|error| Stop::Failed(format!("cannot start {}: {error}", program.display())))?;
    page.raw("\n")?;
    Ok(if status.success() { Ending::Well } else { Ending::Badly(told(status)) })
}

fn told(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    }
}
