#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// A thread as an object: started, joined, its value or its panic.
mod thread;
pub use thread::Thread;

mod error;
pub use error::Error;

// Who is there: the threads of this process, and which of them is this one.
mod active;
pub use active::{ActiveThread, active_count, current_thread, enumerate, main_thread};

mod panics;

// Many tasks on a few threads.
mod pool;
pub use pool::{ClosedPool, ThreadPool};
mod chunks;
pub use chunks::Chunks;
mod result;
pub use result::AsyncResult;
mod imap;
pub use imap::Imap;
mod pool_error;
pub use pool_error::PoolError;

// How they share the work, how they sleep, and how one waits for them.
mod map;
mod sleep;
mod watched;
mod worker;
