use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use fork::ExitStatus;

use crate::error::{CalledProcessError, Error};
use crate::{Command, PIPE, Popen};

/// How long a killed program may take to end. One that takes longer waits for a broken disk, or can't
/// be killed by us.
pub(crate) const DYING: Duration = Duration::from_secs(5);

/// A program that has ended, and what was collected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompletedProcess {
    /// The program and its arguments.
    pub args: Vec<OsString>,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output, if that was [`PIPE`](crate::PIPE), or else nothing.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error, if that was [`PIPE`](crate::PIPE), or else nothing.
    pub stderr: Vec<u8>,
    /// Whether another process still held its pipes open when the grace was over: what that one may
    /// have written later is not here.
    pub held_open: bool,
}

impl CompletedProcess {
    /// How it ended, in Python's notation: the code, or the signal's number made negative.
    pub fn returncode(&self) -> i32 {
        self.status.exitcode()
    }

    /// Standard output as text; what is no UTF-8 is replaced.
    pub fn stdout_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }

    /// Standard error as text; what is no UTF-8 is replaced.
    pub fn stderr_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stderr)
    }

    /// Itself, if it ended with exit code 0.
    ///
    /// # Errors
    ///
    /// [`Error::Called`] if not.
    pub fn check_returncode(self) -> Result<CompletedProcess, Error> {
        if self.status.success() {
            return Ok(self);
        }
        let CompletedProcess { args, status, stdout, stderr, .. } = self;
        Err(Error::Called(CalledProcessError { args, status, stdout, stderr }))
    }
}

/// Runs a program and waits for its end: [`Command::run`] without options.
///
/// # Errors
///
/// [`Error::Start`] when it can't be started.
pub fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Result<CompletedProcess, Error> {
    Command::new(args).run()
}

/// Runs a program and tells how it ended.
///
/// # Errors
///
/// [`Error::Start`] when it can't be started. How it ends is no error.
pub fn call<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Result<ExitStatus, Error> {
    Command::new(args).call()
}

/// Runs a program that is to end with exit code 0.
///
/// # Errors
///
/// [`Error::Called`] when it ends otherwise; [`Error::Start`].
pub fn check_call<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Result<(), Error> {
    Command::new(args).check_call()
}

/// Runs a program that is to end with exit code 0, and gives what it wrote to its standard output.
///
/// # Errors
///
/// [`Error::Called`] when it ends otherwise, and carries the output; [`Error::Start`].
pub fn check_output<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Result<Vec<u8>, Error> {
    Command::new(args).check_output()
}

impl Command {
    /// Runs it: writes its input, collects what goes into a pipe, waits for its end.
    ///
    /// # Errors
    ///
    /// [`Error::Start`]; [`Error::Timeout`], and then it was killed, with all that it started;
    /// [`Error::Called`] only with [`check`](Command::check).
    pub fn run(mut self) -> Result<CompletedProcess, Error> {
        let (input, timeout) = (std::mem::take(&mut self.input), self.timeout);
        let (check, tree) = (self.check, self.kill_tree);
        let popen = self.popen()?;
        let done = match timeout {
            None => popen.communicate(&input),
            Some(timeout) => popen.communicate_timeout(&input, timeout),
        };
        match done {
            Ok(done) if check => done.check_returncode(),
            Ok(done) => Ok(done),
            Err(error) => Err(end(&popen, tree, error)),
        }
    }

    /// Runs it and tells how it ended.
    ///
    /// # Errors
    ///
    /// As [`run`](Command::run).
    pub fn call(self) -> Result<ExitStatus, Error> {
        Ok(self.run()?.status)
    }

    /// Runs it, and it is to end with exit code 0.
    ///
    /// # Errors
    ///
    /// As [`run`](Command::run), and [`Error::Called`].
    pub fn check_call(self) -> Result<(), Error> {
        self.check(true).run().map(drop)
    }

    /// Runs it, and it is to end with exit code 0; gives what it wrote to its standard output.
    ///
    /// # Errors
    ///
    /// As [`run`](Command::run), and [`Error::Called`].
    pub fn check_output(self) -> Result<Vec<u8>, Error> {
        Ok(self.stdout(PIPE).check(true).run()?.stdout)
    }
}

/// Nobody will have the handle after this: whatever went wrong, the program ends.
fn end(popen: &Popen, tree: bool, error: Error) -> Error {
    let killed = if tree { popen.kill_tree() } else { popen.kill() };
    let Error::Timeout(mut expired) = error else { return error };
    if killed.is_ok() {
        // What it wrote between the deadline and its end is in the pipes.
        match popen.communicate_timeout(&[], DYING) {
            Ok(done) => {
                (expired.stdout, expired.stderr) = (done.stdout, done.stderr);
                expired.status = Some(done.status);
            }
            Err(_) => expired.status = None,
        }
    }
    Error::Timeout(expired)
}
