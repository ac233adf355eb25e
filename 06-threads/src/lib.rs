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
pub use pool::{Closed, PoolError, ThreadPool};

mod result;
pub use result::{AsyncResult, TaskError};

mod imap;
mod map;
pub use imap::IMap;

// How the threads share the work, and how they sleep.
mod sleep;
mod watched;
mod worker;
