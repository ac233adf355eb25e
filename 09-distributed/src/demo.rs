//! The demo's commands.

pub(crate) mod dead;
pub(crate) mod keygen;
pub(crate) mod master;
pub(crate) mod options;
pub(crate) mod redis;
pub(crate) mod serve;
pub(crate) mod start;
pub(crate) mod stats;
pub(crate) mod wc;
pub(crate) mod worker;

/// Why a command failed: for the reader.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// What a command returns.
pub(crate) type Outcome = Result<(), Failure>;

/// The tutorial's names.
pub(crate) const TASKS: &str = "get_task_queue";
pub(crate) const RESULTS: &str = "get_result_queue";
