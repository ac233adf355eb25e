use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};

use subprocess::{Command, Error, ExitStatus, PIPE};

use super::Outcome;

/// A shell's exit codes for a program that is not there, and for one that is none.
const NOT_FOUND: u8 = 127;
const NOT_STARTED: u8 = 126;

pub(crate) fn call(_: &mut io::Stdout, args: &[OsString]) -> Outcome<u8> {
    match subprocess::call(args) {
        Ok(status) => Ok(code(status)),
        Err(error) => failed(error),
    }
}

pub(crate) fn communicate(out: &mut io::Stdout, args: &[OsString]) -> Outcome<u8> {
    let mut input = Vec::new();
    if io::stdin().is_terminal() {
        eprintln!("Its input, please; Ctrl-D at the start of a line ends it.");
    }
    io::stdin().read_to_end(&mut input)?;
    let started = Command::new(args).stdin(PIPE).capture_output().popen();
    match started.map_err(Error::from).and_then(|popen| popen.communicate(&input)) {
        Ok(done) => {
            let _ = io::stderr().write_all(&done.stderr);
            out.write_all(&done.stdout)?;
            out.flush()?;
            Ok(code(done.status))
        }
        Err(error) => failed(error),
    }
}

/// One byte for both, code and signal: a shell's way.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

fn failed(error: Error) -> Outcome<u8> {
    let Error::Start(start) = &error else { return Err(error.into()) };
    eprintln!("subprocess: {start}");
    Ok(if start.is_not_found() { NOT_FOUND } else { NOT_STARTED })
}
