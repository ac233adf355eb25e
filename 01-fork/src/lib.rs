#![doc = include_str!("../README.md")]

// The system call, and what must be right around it.
mod fork;
pub use fork::{fork, fork_handing, fork_sharing};

// The same for another program, which needs no copy of this one.
mod spawn;
pub use spawn::Spawn;

// The parent's side: waiting, reaping, signalling, and what came of it.
mod child;
mod status;
pub use child::Child;
pub use nix::sys::signal::Signal;
pub use status::ExitStatus;

mod error;
pub use error::{ForkError, WaitError};

// The child's side: what it does not inherit, what it may lock, and when it ends.
mod private;
mod recvmsg;
mod rights;
pub use private::PrivateFd;
pub use recvmsg::{Received, recvmsg, room_for};
pub use rights::{receive_fds, send_fds};

mod lock;
pub use lock::{Guard, Lock};

mod lifeline;
pub use lifeline::{Lifeline, Tether, lifeline, watch_parent};

// Memory: copied when somebody writes, or shared for good.
mod memory;
pub use memory::{Memory, prefer_huge_pages};

mod shared;
pub use shared::SharedWords;

// A function that another process of the same program can call.
mod entry;
pub use entry::{Entry, Task};
