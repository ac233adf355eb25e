#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// The object: what it runs, how it begins, what it gives back.
mod process;
mod target;
pub use process::{Process, Start, active_children};
pub use target::Target;

mod error;
pub use error::Error;

// The child's side: who it is, and what it was given.
mod me;
pub use me::{CurrentProcess, ParentProcess, current_process, handed_over, parent_process};

// How a value comes back.
mod answer;
mod paper;

// Beginning in `main` again.
mod spawn;
pub use spawn::init;

// Who lives.
mod handle;
mod registry;
pub use handle::ActiveChild;

// What later lessons build on, of the lesson before.
pub use fork::{
    Child, Entry, ExitStatus, ForkError, Lifeline, PrivateFd, SharedWords, Signal, Task, Tether,
    WaitError, fork, fork_handing, lifeline, receive_fds, send_fds,
};
