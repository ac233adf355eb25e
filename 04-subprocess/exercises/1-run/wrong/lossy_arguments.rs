// Wrong: it makes text of arguments that may be none.
// Refused by: arguments_arrive_as_they_are
// Told: leave it an OsStr
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
        .args(args.iter().map(|arg| arg.to_string_lossy().into_owned()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(match status.code() {
        Some(code) => Exit::Code(code),
        None => Exit::Signal(status.signal().unwrap()),
    })
}
