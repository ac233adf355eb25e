#![doc = include_str!("../README.md")]

// A value per thread and per object.
mod local;
pub use local::Local;

mod error;
pub use error::LocalError;

// Under it: which object has which place, who owns the values, and the thread's table.
mod keys;
mod slots;
mod values;

// What C has for the same.
mod key;
pub use key::Key;
