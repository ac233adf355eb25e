#![doc = include_str!("../README.md")]

// A pipe for messages, by way of the kernel; and waiting for many things at once.
mod connection;
mod large;
mod packet;
mod ready;
pub use connection::{Connection, Receiver, Sender, duplex, pipe};
pub use ready::wait;

// Which process has which end.
mod handover;
pub use handover::{Handover, fork_with};

// Memory that several processes have, and how they wait for one another in it.
mod bell;
mod futex;
mod memory;
mod sleep;
pub use memory::SharedMemory;
pub use sleep::Wait;

// A lock whose next owner is told that the former one died, and what it guards.
mod lock;
mod robust;
mod value;
pub use lock::{Guard, Lock};
pub use value::{Array, Plain, Value};

// Messages in shared memory, and a queue made of them.
mod codec;
mod ends;
mod queue;
mod ring;
mod role;
mod shape;
mod tasks;
pub use ends::{Getter, Putter};
pub use queue::Queue;
pub use ring::Ring;

// Waiting for one another.
mod condition;
mod event;
mod semaphore;
pub use condition::Condition;
pub use event::Event;
pub use semaphore::{Permit, Semaphore};

mod error;
pub use error::{LockError, RecvError, SendError, TaskError};
