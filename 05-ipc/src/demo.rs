//! The demo's subcommands, one idea a file.

pub(crate) mod compare;
pub(crate) mod ipc_channel;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod pipe;
pub(crate) mod queue;
pub(crate) mod signal;
pub(crate) mod socket;
pub(crate) mod start;

/// What goes wrong in a subcommand.
type Trouble = Box<dyn std::error::Error>;

/// What a subcommand hands to `main`.
pub(crate) type Outcome = Result<(), Trouble>;

/// The exit code of a child that does `work`, after a message if that fails.
fn code(work: Outcome) -> i32 {
    match work {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("ipc: process {}: {error}", std::process::id());
            1
        }
    }
}
