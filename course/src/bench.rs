//! `cargo course bench`: the lessons beside their rivals and their limits.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;

use crate::choose;
use crate::stop::Stop;
use crate::workspace::Workspace;

const NOTE: &str = "\
Building the benchmarks, and the rivals that they compare with: the first time this
takes a minute. For figures to believe, leave the machine alone meanwhile.
";

/// Becomes the benchmark program, which is a package of its own: its dependencies are the rivals, and a learner who
/// measures nothing should not wait for them.
///
/// The desk does not stay behind to wait: the terminal, Ctrl-C and the exit status are the program's own.
///
/// # Errors
///
/// [`Stop::Usage`] if an argument names no lesson, [`Stop::Failed`] if cargo can't be started. Otherwise it does not
/// return.
pub(crate) fn bench(workspace: &Workspace, args: &[OsString]) -> Result<(), Stop> {
    let mut args = args.to_vec();
    if let Some(first) = args.first_mut() {
        *first = translated(workspace, first)?;
    }
    // To standard error, so that the figures alone can go into a file; if nobody reads it, so be it.
    let _ = io::stderr().write_all(NOTE.as_bytes());
    let mut cargo = workspace.cargo("run");
    cargo.args(["--quiet", "--release", "--package", "bench", "--"]).args(args);
    let error = cargo.exec();
    Err(Stop::Failed(format!("cannot start {cargo:?}: {error}")))
}

/// A lesson in any of its spellings becomes its name; options and `LESSON/MEASURE` are the program's.
fn translated(workspace: &Workspace, arg: &OsStr) -> Result<OsString, Stop> {
    match arg.to_str() {
        Some(word) if !word.starts_with('-') && !word.trim_end_matches('/').contains('/') => {
            Ok(choose::lesson(workspace, word)?.name.into())
        }
        _ => Ok(arg.to_owned()),
    }
}
