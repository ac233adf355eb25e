// Wrong: it starts, and does not wait.
// Refused by: exit_codes_come_back
// Told: the command was started but not waited for
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
    let _child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(Exit::Code(0))
}
