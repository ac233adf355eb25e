#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod case;
mod judge;
mod message;
mod proc;
mod report;
mod role;
mod running;
#[doc(hidden)]
pub mod scenario;
mod spec;
mod stuck;
mod supervisor;
mod wire;

pub use case::check;
pub use judge::Judge;
pub use report::{Checked, Ending, Leftovers, Report, Seen};
pub use running::Running;
pub use scenario::Scenario;
pub use spec::Limit;
