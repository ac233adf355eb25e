#![doc = include_str!("../README.md")]

mod child;
mod entry;
mod error;
mod fork;
mod lifeline;
mod lock;
mod memory;
mod private;
mod shared;
mod status;

pub use child::Child;
pub use entry::{Entry, Task};
pub use error::{ForkError, WaitError};
pub use fork::{fork, fork_handing};
pub use lifeline::{Lifeline, Tether, lifeline};
pub use lock::{Guard, Lock};
pub use memory::Memory;
pub use private::PrivateFd;
pub use shared::SharedWords;
pub use status::ExitStatus;
