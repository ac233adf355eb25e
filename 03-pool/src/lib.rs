#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// What one calls.
mod pool;
pub use pool::{Builder, ClosedPool, Pool};
mod chunks;
pub use chunks::Chunks;
mod result;
pub use result::AsyncResult;
mod imap;
pub use imap::Imap;
mod error;
pub use error::Error;

// What crosses: a function and its arguments, there and back.
mod chunk;
mod job;
mod panics;

// What pool and worker share.
mod link;
mod ring;

// The other side.
mod worker;
mod zygote;

// This side: who has which task, who died, and who does all that.
mod deaths;
mod engine;
mod pump;
mod slot;

// A real job.
pub mod wc;
