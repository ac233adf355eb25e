#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// The short way: run a program, wait, and get what came of it.
mod run;
pub use run::{CompletedProcess, call, check_call, check_output, run};

// What is to be run, and what is different for it.
mod command;
pub use command::{Command, GRACE, Group};

mod redirect;
pub use redirect::{DEVNULL, ErrRedirect, PIPE, Redirect, STDOUT, Stdout};

// From the command to the process.
mod start;

// A program that runs.
mod popen;
pub use fork::{ExitStatus, Signal, WaitError};
pub use popen::Popen;

// Writing and reading at once.
mod talk;

// The end of a process and of all that it started.
mod tree;

// Several, each reading what the one before it writes.
mod pipeline;
pub use pipeline::{CompletedPipeline, Pipeline};

mod error;
pub use error::{CalledProcessError, Error, Failed, StartError, TimeoutExpired};
