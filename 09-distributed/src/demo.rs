//! The demo's commands.

pub(crate) mod dead;
pub(crate) mod keygen;
pub(crate) mod master;
pub(crate) mod options;
pub(crate) mod redis;
pub(crate) mod serve;
pub(crate) mod start;
pub(crate) mod stats;
pub(crate) mod worker;

/// What a command returns: the error is for the reader.
pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The tutorial's names.
pub(crate) const TASKS: &str = "get_task_queue";
pub(crate) const RESULTS: &str = "get_result_queue";
