use std::error::Error as StdError;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

use fork::{ExitStatus, WaitError};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};

/// What came in the way of running a program to a good end.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// It did not start.
    Start(StartError),
    /// It ended, and not with success, which was asked for.
    Called(CalledProcessError),
    /// It did not end in time.
    Timeout(TimeoutExpired),
    /// How it ended can't be told.
    Wait(WaitError),
    /// Its pipes can't be written, read or watched. Nothing is lost: `communicate` can be called
    /// again.
    Talk(io::Error),
    /// Input was given to a `communicate` that goes on with the input of an earlier one.
    SecondInput,
}

/// What a start failed at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failed {
    /// The program: it is not there, or no program.
    Program(PathBuf),
    /// The working directory.
    Directory(PathBuf),
    /// The arguments: none, one with a NUL in it, or too many.
    Arguments,
    /// The variable of this name: with a `=` or a NUL in its name, or a NUL in its value.
    Environment(OsString),
    /// The file or pipe for this one of stdin, stdout and stderr.
    Redirect(&'static str),
    /// The descriptors that were to be passed.
    Descriptors,
    /// The process itself, or its group.
    Process,
}

/// Why a program was not started. Nothing runs then, and nothing is left open.
#[derive(Debug)]
pub struct StartError {
    args: Vec<OsString>,
    failed: Failed,
    source: io::Error,
    hint: Option<String>,
}

impl StartError {
    pub(crate) fn new(
        args: Vec<OsString>,
        failed: Failed,
        source: io::Error,
        hint: Option<String>,
    ) -> StartError {
        let hint = hint.or_else(|| match source.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EMFILE) => {
                let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
                Some(format!("RLIMIT_NOFILE, open files of this process, is {limit} (`ulimit -n`)"))
            }
            Some(Errno::ENFILE) => Some("too many open files in the whole system".to_owned()),
            _ => None,
        });
        StartError { args, failed, source, hint }
    }

    /// What it failed at.
    pub fn failed(&self) -> &Failed {
        &self.failed
    }

    /// Whether there is no such program.
    pub fn is_not_found(&self) -> bool {
        // With a hint it is there, and what it needs is not.
        let missing = self.source.kind() == io::ErrorKind::NotFound && self.hint.is_none();
        missing && matches!(self.failed, Failed::Program(_))
    }

    /// The system's error number, such as `ENOENT`, if it was the system that refused.
    pub fn raw_os_error(&self) -> Option<i32> {
        self.source.raw_os_error()
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can't start `{}`: ", Line(&self.args))?;
        match &self.failed {
            Failed::Program(path) => write!(f, "program {path:?}: ")?,
            Failed::Directory(path) => write!(f, "working directory {path:?}: ")?,
            Failed::Arguments => write!(f, "its arguments: ")?,
            Failed::Environment(name) => write!(f, "environment variable {name:?}: ")?,
            Failed::Redirect(name) => write!(f, "its {name}: ")?,
            Failed::Descriptors => write!(f, "the descriptors passed to it: ")?,
            Failed::Process => write!(f, "its process: ")?,
        }
        write!(f, "{}", self.source)?;
        self.hint.iter().try_for_each(|hint| write!(f, " ({hint})"))
    }
}

/// A program ended with a code other than 0, or by a signal.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CalledProcessError {
    /// The program and its arguments.
    pub args: Vec<OsString>,
    /// How it ended.
    pub status: ExitStatus,
    /// What was collected of its standard output.
    pub stdout: Vec<u8>,
    /// What was collected of its standard error.
    pub stderr: Vec<u8>,
}

impl fmt::Display for CalledProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ended with {}", Line(&self.args), self.status)?;
        // The last line is where programs say why.
        let stderr = String::from_utf8_lossy(&self.stderr);
        let last = stderr.lines().rev().find(|line| !line.trim().is_empty());
        // Nothing in it moves the cursor of whoever reads it.
        let printable = |line: &str| line.replace(char::is_control, "?");
        last.into_iter().try_for_each(|line| write!(f, ": {}", printable(line)))
    }
}

/// A program did not end in time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TimeoutExpired {
    /// The program and its arguments; of a pipeline, all of them.
    pub args: Vec<OsString>,
    /// The time that it had.
    pub timeout: Duration,
    /// What was collected of its standard output so far.
    pub stdout: Vec<u8>,
    /// What was collected of its standard error so far.
    pub stderr: Vec<u8>,
    /// How it ended when it was killed. `None` if it still runs: because nobody asked to kill it, or
    /// because it can't be killed, such as a program of another user.
    pub status: Option<ExitStatus>,
}

impl fmt::Display for TimeoutExpired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` did not end within {:?}", Line(&self.args), self.timeout)?;
        match self.status {
            Some(status) => write!(f, ", {status}"),
            None => write!(f, ", and still runs"),
        }
    }
}

/// How many characters of a word an error shows.
const MOST: usize = 100;

/// A command as one would type it.
struct Line<'a>(&'a [OsString]);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            let word = word.to_string_lossy();
            let plain = |c: char| c.is_alphanumeric() || "-_./:=,+@%|".contains(c);
            if word.chars().nth(MOST).is_some() {
                write!(f, "{:?}…", word.chars().take(MOST).collect::<String>())?;
            } else if word.is_empty() || !word.chars().all(plain) {
                write!(f, "{word:?}")?;
            } else {
                f.write_str(&word)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Start(error) => error.fmt(f),
            Error::Called(error) => error.fmt(f),
            Error::Timeout(error) => error.fmt(f),
            Error::Wait(error) => error.fmt(f),
            Error::Talk(error) => write!(f, "can't talk to the program: {error}"),
            Error::SecondInput => {
                write!(
                    f,
                    "input can't be added to a communicate that was begun: it goes on with its own"
                )
            }
        }
    }
}

impl StdError for StartError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.source)
    }
}
impl StdError for CalledProcessError {}
impl StdError for TimeoutExpired {}
impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Error::Start(error) => error.source(),
            Error::Wait(error) => error.source(),
            Error::Talk(error) => Some(error),
            Error::Called(_) | Error::Timeout(_) | Error::SecondInput => None,
        }
    }
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Error {
        Error::Start(error)
    }
}
impl From<WaitError> for Error {
    fn from(error: WaitError) -> Error {
        Error::Wait(error)
    }
}
