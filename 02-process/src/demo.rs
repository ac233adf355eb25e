//! The demo's subcommands, one idea a file.

pub(crate) mod active;
pub(crate) mod daemon;
pub(crate) mod end;
pub(crate) mod panic;
pub(crate) mod sentinel;
pub(crate) mod spawn;
pub(crate) mod start;
pub(crate) mod value;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

/// What a subcommand hands to `main`.
pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Prints a line. Unlike `println!`, it does not panic when nobody reads any more (`| head -1`): that
/// is no reason to shout, and in a child it would look like a failure of what is being shown.
macro_rules! say {
    ($($text:tt)*) => {{
        let _ = std::io::Write::write_fmt(
            &mut std::io::stdout(),
            format_args!("{}\n", format_args!($($text)*)),
        );
    }};
}
pub(crate) use say;

/// Blocks until the other end of the pipe is closed in every process, and gives what was written.
///
/// This is how the demos wait for one another: an end of file is an event, a pause is a guess.
fn read_to_end(pipe: OwnedFd) -> io::Result<String> {
    let mut text = String::new();
    File::from(pipe).read_to_string(&mut text)?;
    Ok(text)
}

/// What many of the children here do: they live until what was handed to them is at its end.
fn wait() {
    for pipe in process::handed_over() {
        let _ = read_to_end(pipe);
    }
}
