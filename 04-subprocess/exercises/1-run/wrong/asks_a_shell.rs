// Wrong: it makes a line of the arguments, and has a shell read it.
// Refused by: arguments_arrive_as_they_are
// Told: no shell may read it
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
    let mut line = program.to_owned();
    for arg in args {
        line = format!("{line} {}", arg.to_string_lossy());
    }
    let status = Command::new("sh")
        .args(["-c", &line])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(match status.code() {
        Some(code) => Exit::Code(code),
        None => Exit::Signal(status.signal().unwrap()),
    })
}
