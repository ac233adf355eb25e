//! The demo's subcommands, one idea a file.

pub(crate) mod buffer;
pub(crate) mod cow;
pub(crate) mod exit;
pub(crate) mod lock;
pub(crate) mod orphan;
mod procfs;
pub(crate) mod start;
pub(crate) mod threads;
pub(crate) mod tree;
pub(crate) mod zombie;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// What a subcommand hands to `main`.
pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Blocks until the other end of the pipe is closed in every process, and gives what was written.
///
/// This is how the demos wait for one another: an end of file is an event, a pause is a guess.
fn read_to_end(pipe: OwnedFd) -> io::Result<String> {
    let mut text = String::new();
    File::from(pipe).read_to_string(&mut text)?;
    Ok(text)
}

/// Blocks until the child has ended. This only looks: nobody reaps it.
fn until_ended(child: &fork::Child) -> Result<(), fork::WaitError> {
    let mut end = [PollFd::new(child.sentinel()?, PollFlags::POLLIN)];
    while poll(&mut end, PollTimeout::NONE) == Err(nix::Error::EINTR) {}
    Ok(())
}
