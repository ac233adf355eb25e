//! The protocol of Python's managers: registered names, objects that live in the server, calls.

mod backoff;
mod client;
mod conn;
mod control;
mod error;
mod message;
mod occupant;
mod poll;
mod registry;
mod remote;
mod server;
mod waiting;

#[cfg(feature = "redis")]
pub(crate) use backoff::Backoff;
pub use client::Manager;
pub use error::{CallError, ConnectError, ServeError};
pub use remote::RemoteQueue;
pub use server::{Limits, Listening, Running, Server};
