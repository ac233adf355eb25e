// Wrong: a program that is not there has an exit code, as in a shell.
// Refused by: a_program_that_is_not_there_is_an_error
// Told: it never ran
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
        .status();
    let Ok(status) = status else { return Ok(Exit::Code(127)) };
    Ok(match status.code() {
        Some(code) => Exit::Code(code),
        None => Exit::Signal(status.signal().unwrap()),
    })
}
