#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// On the wire: frames, the handshake that comes first, and TLS around both.
mod wire;
pub use wire::{AuthError, FrameError, Key, KeyError, Tls};

// Values, in Python's format, as data only.
mod pickle;
pub use pickle::{BigInt, Class, PickleError, Value, from_pickle, from_value, to_pickle, to_value};

// What the server keeps.
mod queue;
pub use queue::{METHODS, QueueConfig};

// The server, and the client: the protocol of Python's managers.
mod manager;
pub use manager::{
    CallError, ConnectError, Limits, Listening, Manager, RemoteQueue, Running, ServeError, Server,
};

// Tasks that are lent, not given: what survives a worker's death. A trait, and the engines behind it.
mod tasks;
#[cfg(feature = "redis")]
pub use tasks::RedisTasks;
pub use tasks::{
    Cursor, Dead, Done, Fence, Heartbeat, Lease, Outcome, Put, QueueError, RemoteTasks, Stats,
    TaskQueue, Undone, Verdict, WorkerStats, work,
};
