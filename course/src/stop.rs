//! Why the desk stops before the end, and the exit status that says so.

use std::io;
use std::process::ExitCode;

/// Why the desk stops before the end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The command line makes no sense; the text says which word, and what would.
    Usage(String),
    /// Something that was started failed, or could not be started.
    Failed(String),
    /// An answer is not right: all is said already.
    Refused,
    /// Nobody reads any more what the desk writes.
    Output(io::Error),
}

impl Stop {
    /// Says it on standard error, and gives the exit status.
    ///
    /// A reader that has gone away (`cargo course | head -1`) has what it wanted: no message, and no failure.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Stop::Usage(text) => {
                say(&format!("{text}\n`cargo course --help` tells all there is."));
                ExitCode::from(2)
            }
            Stop::Failed(text) => {
                say(&text);
                ExitCode::FAILURE
            }
            Stop::Refused => ExitCode::FAILURE,
            Stop::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Stop::Output(error) => {
                say(&format!("cannot write to standard output: {error}"));
                ExitCode::FAILURE
            }
        }
    }
}

/// Standard error may be gone too, and there is nobody left to tell: `eprintln!` would panic.
fn say(text: &str) {
    let _ = io::Write::write_all(&mut io::stderr(), format!("cargo course: {text}\n").as_bytes());
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Output(error)
    }
}

impl From<lexopt::Error> for Stop {
    fn from(error: lexopt::Error) -> Self {
        Stop::Usage(error.to_string())
    }
}
