use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::manager::backoff::Backoff;
use crate::manager::client::{Connection, unexpected};
use crate::manager::{CallError, ConnectError, Manager};
use crate::pickle::{Value, from_value, to_value};

/// A queue in a server, here or on another machine, in Rust or in Python: what Python calls a proxy.
///
/// Unlike a queue in this process every call travels there and back, and may fail because
/// somebody else has ended. It is for one thread: each other one opens its own, so that
/// nobody waits behind somebody's `get`.
#[derive(Debug)]
pub struct RemoteQueue {
    connection: Connection,
    manager: Manager,
    name: String,
    id: String,
    exposed: Vec<String>,
}

impl RemoteQueue {
    pub(crate) fn open(manager: &Manager, name: &str) -> Result<RemoteQueue, ConnectError> {
        let made = manager.ask("create", &[name.into()])?;
        let Value::Tuple(parts) = made else { return Err(manager.failed(unexpected(&made))) };
        let Ok([Value::Str(id), Value::Tuple(exposed) | Value::List(exposed)]) =
            <[Value; 2]>::try_from(parts)
        else {
            return Err(manager.failed(CallError::Refused("it created no object".into())));
        };
        let exposed = exposed.into_iter().filter_map(|method| match method {
            Value::Str(name) => Some(name),
            _ => None,
        });
        let exposed = exposed.collect();
        let (connection, manager, name) = (manager.serve()?, manager.clone(), name.to_owned());
        Ok(RemoteQueue { connection, manager, name, id, exposed })
    }

    /// Connects anew, after the connection broke: tries again and again, with growing pauses, for
    /// this long.
    ///
    /// # Errors
    ///
    /// The last one; at once, if trying again can't help.
    pub fn reconnect(&mut self, within: Duration) -> Result<(), ConnectError> {
        *self = Backoff::retry(within, || RemoteQueue::open(&self.manager, &self.name))?;
        Ok(())
    }

    /// The queue's id in its server. After a [`reconnect`](RemoteQueue::reconnect) it is another one if the server was
    /// restarted meanwhile, and what it had is gone.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The methods that may be called.
    pub fn exposed(&self) -> &[String] {
        &self.exposed
    }

    /// Puts a value, waiting for room.
    ///
    /// # Errors
    ///
    /// When the value can't be sent, or the call fails.
    pub fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CallError> {
        self.put_value(to_value(value)?, None)
    }

    /// Puts a value, waiting for room this long at most. Zero tries.
    ///
    /// # Errors
    ///
    /// [`CallError::Full`], or as [`put`](RemoteQueue::put).
    pub fn put_timeout<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        timeout: Duration,
    ) -> Result<(), CallError> {
        self.put_value(to_value(value)?, Some(timeout))
    }

    /// Puts a value in Python's terms, waiting for ever or for so long.
    ///
    /// # Errors
    ///
    /// [`CallError::Full`], or as [`put`](RemoteQueue::put).
    pub fn put_value(&mut self, value: Value, timeout: Option<Duration>) -> Result<(), CallError> {
        self.wait("put", vec![value], timeout).map(drop)
    }

    /// Takes the next value out of it, waiting for one.
    ///
    /// # Errors
    ///
    /// When the call fails. A value of another type is an error, and is gone from the queue.
    pub fn get<T: DeserializeOwned>(&mut self) -> Result<T, CallError> {
        Ok(from_value(self.get_value(None)?)?)
    }

    /// Takes the next value out of it, waiting for one this long at most. Zero tries.
    ///
    /// # Errors
    ///
    /// [`CallError::Empty`], or as [`get`](RemoteQueue::get).
    pub fn get_timeout<T: DeserializeOwned>(&mut self, timeout: Duration) -> Result<T, CallError> {
        Ok(from_value(self.get_value(Some(timeout))?)?)
    }

    /// Takes the next value, in Python's terms, waiting for ever or for so long.
    ///
    /// # Errors
    ///
    /// [`CallError::Empty`], or as [`get`](RemoteQueue::get).
    pub fn get_value(&mut self, timeout: Option<Duration>) -> Result<Value, CallError> {
        self.wait("get", Vec::new(), timeout)
    }

    /// How many values are in it.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub fn qsize(&mut self) -> Result<usize, CallError> {
        Ok(from_value(self.call("qsize", &[])?)?)
    }

    /// Whether it is empty, or was a moment ago.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub fn is_empty(&mut self) -> Result<bool, CallError> {
        Ok(from_value(self.call("empty", &[])?)?)
    }

    /// Whether it is full, or was a moment ago.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub fn is_full(&mut self) -> Result<bool, CallError> {
        Ok(from_value(self.call("full", &[])?)?)
    }

    /// Reports a value that was got as done.
    ///
    /// # Errors
    ///
    /// A `ValueError` when more is reported than was put, or the call fails.
    pub fn task_done(&mut self) -> Result<(), CallError> {
        self.call("task_done", &[]).map(drop)
    }

    /// Waits until everything that was put is reported as done.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub fn join(&mut self) -> Result<(), CallError> {
        self.connection.call(Some(&self.id), "join", &[], None).map(drop)
    }

    /// Calls any other method by its name, of one that answers at once.
    ///
    /// # Errors
    ///
    /// When it is not exposed, or fails.
    pub fn call(&mut self, method: &str, arguments: &[Value]) -> Result<Value, CallError> {
        self.call_for(method, arguments, Duration::ZERO)
    }

    /// The same, of one that may wait this long before it answers.
    ///
    /// # Errors
    ///
    /// When it is not exposed, or fails.
    pub fn call_for(
        &mut self,
        method: &str,
        arguments: &[Value],
        wait: Duration,
    ) -> Result<Value, CallError> {
        let patience = Some(wait + self.manager.given_patience());
        self.connection.call(Some(&self.id), method, arguments, patience)
    }

    /// Calls a method that ends with `block` and `timeout`. Who waits without end for a value waits for as
    /// long as the server's machine answers: that is asked every half a minute, by the kernel.
    fn wait(
        &mut self,
        method: &str,
        mut arguments: Vec<Value>,
        timeout: Option<Duration>,
    ) -> Result<Value, CallError> {
        if let Some(timeout) = timeout {
            arguments.extend([true.into(), Value::Float(timeout.as_secs_f64())]);
        }
        let patience = timeout.map(|timeout| timeout + self.manager.given_patience());
        self.connection.call(Some(&self.id), method, &arguments, patience)
    }
}

impl Drop for RemoteQueue {
    /// Gives the reference back, if the server is there to take it.
    fn drop(&mut self) {
        let patience = Duration::from_secs(1).min(self.manager.given_patience());
        let _ = self.manager.clone().patience(patience).ask("decref", &[self.id.clone().into()]);
    }
}
