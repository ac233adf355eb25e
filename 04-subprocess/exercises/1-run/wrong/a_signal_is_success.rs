// Wrong: no exit code counts as 0.
// Refused by: a_signal_is_no_exit_code
// Told: a program killed by a signal was reported as a normal exit
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

#[derive(Debug, PartialEq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

/// Run `program` with exactly these arguments (no shell), stdin, stdout and stderr set to null; wait for its end.
/// Err(NotFound) when there is no such program; a program that fails is not an Err.
pub fn run(program: &str, args: &[&OsStr]) -> io::Result<Exit> {
    let status = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(Exit::Code(status.code().unwrap_or(0)))
}
