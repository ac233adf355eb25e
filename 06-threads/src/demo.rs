//! The demo's subcommands, one idea a file.

/// Prints a line, as `println!` does. If nobody reads it any more, that is an error and no panic:
/// in a thread a panic would be one more message on the terminal.
macro_rules! say {
    ($($line:tt)*) => { $crate::demo::print(format_args!($($line)*)) };
}

pub(crate) mod channels;
pub(crate) mod cores;
pub(crate) mod exit;
pub(crate) mod names;
pub(crate) mod panic;
pub(crate) mod pool;
#[expect(unsafe_code, reason = "the C library's threads have no safe face but std::thread")]
pub(crate) mod raw;
pub(crate) mod scope;
pub(crate) mod start;
pub(crate) mod versus;
pub(crate) mod wc;

use std::fmt;
use std::io::{self, Write};

/// What a subcommand hands to `main`.
pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;

/// See `say!`. The whole line at once, so that the lines of two threads don't mix.
pub(crate) fn print(line: fmt::Arguments<'_>) -> io::Result<()> {
    io::stdout().lock().write_all(format!("{line}\n").as_bytes())
}
