//! The demo's subcommands, one idea a file.

pub(crate) mod balance;
pub(crate) mod barrier;
pub(crate) mod condvar;
pub(crate) mod deadlock;
pub(crate) mod event;
pub(crate) mod poison;
pub(crate) mod race;
pub(crate) mod rlock;
pub(crate) mod rwlock;
pub(crate) mod semaphore;
pub(crate) mod steps;

/// What a subcommand hands to `main`.
pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;
