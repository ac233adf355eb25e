#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod answer;
mod error;
mod handle;
mod me;
mod paper;
mod process;
mod registry;
mod spawn;
mod target;

pub use error::Error;
// What later lessons build on, of the lesson before.
pub use fork::{
    Child, Entry, ExitStatus, ForkError, Lifeline, PrivateFd, SharedWords, Signal, Task, Tether,
    WaitError, fork, fork_handing, lifeline, receive_fds, send_fds,
};
pub use handle::ActiveChild;
pub use me::{CurrentProcess, ParentProcess, current_process, handed_over, parent_process};
pub use process::{Process, Start, active_children};
pub use spawn::init;
pub use target::Target;
