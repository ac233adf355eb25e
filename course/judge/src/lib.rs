#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod case;
pub mod exercise;
mod judge;
mod message;
mod proc;
#[doc(hidden)]
pub mod prove;
mod report;
mod role;
mod running;
#[doc(hidden)]
pub mod scenario;
mod spec;
mod stuck;
mod supervisor;
mod verdict;
mod wire;

pub use case::check;
pub use judge::Judge;
pub use report::{Checked, Ending, Leftovers, Report, Seen};
pub use running::Running;
pub use scenario::Scenario;
pub use spec::Limit;
pub use verdict::Verdict;
