//! The demo's subcommands, one idea a file.

pub(crate) mod count;
pub(crate) mod faults;
pub(crate) mod start;

/// What a subcommand hands to `main`.
pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;
