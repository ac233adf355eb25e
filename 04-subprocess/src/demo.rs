//! The demo's subcommands, one idea a file.

pub(crate) mod any;
pub(crate) mod codes;
pub(crate) mod deadlock;
pub(crate) mod nslookup;
pub(crate) mod pipeline;
pub(crate) mod shell;
pub(crate) mod timeout;

/// What a subcommand hands to `main`.
///
/// They print with `writeln!` and not with `println!`, which panics when nobody reads any more.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
