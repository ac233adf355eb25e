use std::time::Duration;

use ::redis::{FromRedisValue, Script, ScriptInvocation};

use crate::tasks::QueueError;
use crate::wire::key::random;
use crate::{Key, QueueConfig};

mod link;
mod queue;
mod risks;
mod scripts;

use link::{Link, engine};

/// The tasks of a queue in a Redis or Valkey server.
///
/// Unlike [`RemoteTasks`](crate::RemoteTasks), whose tasks are in the memory of this lesson's server, these outlive their
/// server, and there may be as many of them as it has room for; but a worker that was *killed* has its tasks until their
/// leases end, since a Redis server does not care whose connection closes. One that is dropped gives them back at once.
///
/// It comes back by itself when the connection broke: each of its calls may be repeated without harm.
#[derive(Debug)]
pub struct RedisTasks {
    link: Link,
    name: String,
    /// What this one is called in the consumer group.
    worker: String,
    /// Whether there may be something on lease.
    took: bool,
    durable: bool,
}

impl RedisTasks {
    /// The tasks of the queue of this name, which is made if it isn't there. `redis://[USER@]HOST[:PORT][/DATABASE]`.
    /// A server that is gone is waited for as long as `absence`.
    ///
    /// # Errors
    ///
    /// When the server can't be reached, or refuses; or the password is not UTF-8.
    pub fn open(
        url: &str,
        password: Option<&Key>,
        name: &str,
        absence: Duration,
    ) -> Result<RedisTasks, QueueError> {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let dice = random::<4>().map_err(|error| engine("/dev/urandom", error))?;
        let (pid, dice) = (std::process::id(), u32::from_ne_bytes(dice));
        let hello = settings(name, "HSETNX", &QueueConfig::default());
        let mut link = Link::open(url, password, hello, absence)?;
        let durable = risks::has_log(&mut link)?;
        let worker = format!("{}:{pid}:{dice:08x}", host.trim_end().replace('/', "-"));
        Ok(RedisTasks { link, name: name.to_owned(), worker, took: false, durable })
    }

    /// Sets the queue's lease, attempts, capacity and longest body, for all clients and from now on. (A queue that nobody
    /// has configured has those of [`QueueConfig::default`], and after [`QueueError::Forgotten`] that may be this one. The other
    /// settings are none of Redis's.)
    ///
    /// # Errors
    ///
    /// When the server can't be reached.
    pub fn configure(&mut self, config: &QueueConfig) -> Result<(), QueueError> {
        self.link.hello = settings(&self.name, "HSETNX", config);
        let set = settings(&self.name, "HSET", config);
        self.link.ask(Duration::ZERO, |connection| set.invoke(connection))
    }

    /// What this server is not set up for, a sentence each: a queue in a server without an append-only file loses tasks
    /// when that is killed, and so on. None is right. To be shown to whoever can change it.
    ///
    /// # Errors
    ///
    /// When the server can't be reached.
    pub fn risks(&mut self) -> Result<Vec<String>, QueueError> {
        risks::risks(&mut self.link)
    }

    fn run<T: FromRedisValue>(
        &mut self,
        script: &'static Script,
        arguments: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<T, QueueError> {
        let mut call = scripts::call(script, &self.name);
        for argument in arguments {
            call.arg(argument);
        }
        self.link.ask(Duration::ZERO, |connection| call.invoke(connection))
    }
}

impl Drop for RedisTasks {
    /// What it has on lease is the next one's at once, if the server is there.
    fn drop(&mut self) {
        if self.took {
            self.link.absence = Duration::ZERO;
            let _ = self.run::<()>(&scripts::LEAVE, [self.worker.clone().into_bytes()]);
        }
    }
}

fn settings(queue: &str, command: &str, config: &QueueConfig) -> ScriptInvocation<'static> {
    let mut call = scripts::call(&scripts::OPEN, queue);
    call.arg(command);
    call.arg("lease").arg(millis(config.lease));
    call.arg("max_attempts").arg(config.max_attempts);
    call.arg("capacity").arg(config.capacity);
    call.arg("max_body").arg(config.max_body);
    call
}

/// Of whatever is longer than a year, a year; and no less than a millisecond, unless it is nothing.
fn millis(time: Duration) -> u64 {
    let most = Duration::from_secs(366 * 86_400);
    u64::try_from(time.min(most).as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
