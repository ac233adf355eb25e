#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

// What a test says, and what it gets.
mod judge;
mod report;
mod running;
#[doc(hidden)]
pub mod scenario;
mod spec;

// Exercises: cases, what is said of an answer, and the proof that it is the right thing to say.
pub mod exercise;
mod kill;
#[doc(hidden)]
pub mod prove;
mod verdict;

// The processes between the test and the program, in the order in which they start each other.
mod case;
mod guardian;
mod init;
mod role;
mod supervisor;

// What the supervisor does.
mod census;
mod confine;
mod group;
mod isolate;
mod objects;
mod outputs;
mod stuck;
mod sweep;

// What they stand on.
mod folder;
mod message;
mod proc;
mod wire;

pub use case::check;
pub use judge::Judge;
pub use report::{Checked, Ending, Leftovers, Report, Seen, SeenThread};
pub use running::Running;
pub use scenario::Scenario;
pub use spec::Limit;
pub use verdict::Verdict;
