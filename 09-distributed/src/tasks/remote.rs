use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::manager::Backoff;
use crate::tasks::{
    Cursor, Dead, Done, Fence, Lease, Outcome, Put, QueueError, Stats, TaskQueue, Verdict,
    WorkerStats,
};
use crate::{CallError, Class, Manager, RemoteQueue, Value, from_value};

/// The tasks of a queue in this lesson's server.
///
/// Unlike the [`RemoteQueue`] that it is made of, it comes back by itself when the connection broke: each of its calls may be
/// repeated without harm. What it had on lease is lost then.
#[derive(Debug)]
pub struct RemoteTasks {
    queue: RemoteQueue,
    absence: Duration,
}

impl RemoteTasks {
    /// The tasks of the queue of this name. A server that is gone, or out of reach, is waited for as long as `absence`,
    /// now and later.
    ///
    /// # Errors
    ///
    /// When there is no such queue, it has no leases (Python's have none), or the server can't be reached.
    pub fn open(manager: &Manager, name: &str, absence: Duration) -> Result<Self, QueueError> {
        let queue = Backoff::retry(absence, || manager.queue(name))?;
        if !queue.exposed().iter().any(|method| method == "take") {
            let text = format!("no method \"take\" in {name}: it has no leases");
            return Err(QueueError::Call(CallError::Refused(text)));
        }
        Ok(RemoteTasks { queue, absence })
    }

    fn call(&mut self, method: &str, with: &[Value], wait: Duration) -> Result<Value, QueueError> {
        let mut trouble: Option<Backoff> = None;
        loop {
            match self.queue.call_for(method, with, wait) {
                Ok(value) => return Ok(value),
                Err(CallError::Full) => return Err(QueueError::Full),
                // The one value that any of these calls can find wrong.
                Err(CallError::Raised(Class::Exception("ValueError"), parts)) => {
                    let text = parts.into_iter().next().and_then(|text| from_value(text).ok());
                    return Err(QueueError::TooLong(text.unwrap_or_default()));
                }
                // A server that is silent may be there again later, but this connection is in the middle of an answer.
                // At once, and if that does not help, after pauses: a connection can be made, and break each time.
                Err(error @ (CallError::Lost(_) | CallError::Silent)) => {
                    let absence = self.absence;
                    if trouble.as_mut().is_some_and(|it| !it.pause(absence)) {
                        return Err(QueueError::Call(error));
                    }
                    trouble.get_or_insert_with(Backoff::new);
                    let before = self.queue.id().to_owned();
                    self.queue.reconnect(absence)?;
                    if self.queue.id() != before {
                        return Err(QueueError::Forgotten);
                    }
                }
                Err(error) => return Err(QueueError::Call(error)),
            }
        }
    }

    fn verdicts(&mut self, method: &str, with: Vec<Value>) -> Result<Vec<Verdict>, QueueError> {
        let held: Vec<bool> = read(self.call(method, &[Value::List(with)], Duration::ZERO)?)?;
        Ok(held.into_iter().map(verdict).collect())
    }
}

fn verdict(held: bool) -> Verdict {
    if held { Verdict::Accepted } else { Verdict::LeaseLost }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, QueueError> {
    from_value(value).map_err(|error| QueueError::Answer(error.to_string()))
}

fn seconds(time: Duration) -> Value {
    Value::Float(time.as_secs_f64())
}

/// On the wire a fence is a number.
fn fence(fence: &Fence) -> Value {
    Value::Int(fence.0.parse().unwrap_or(0))
}

/// The entries of an answer, each with so many parts.
fn entries<const N: usize>(answer: Value) -> impl Iterator<Item = Result<[Value; N], QueueError>> {
    let items = match answer {
        Value::List(items) => items,
        other => vec![other],
    };
    items.into_iter().map(|item| match item {
        Value::Tuple(parts) => {
            parts.try_into().map_err(|_| QueueError::Answer("an entry of another length".into()))
        }
        _ => Err(QueueError::Answer("something else than a list of entries".into())),
    })
}

impl TaskQueue for RemoteTasks {
    fn put(&mut self, tasks: &[(String, Value)]) -> Result<Vec<Put>, QueueError> {
        let pair =
            |(id, body): &(String, Value)| Value::Tuple(vec![Value::from(&**id), body.clone()]);
        let tasks = Value::List(tasks.iter().map(pair).collect());
        let new: Vec<bool> = read(self.call("put_tasks", &[tasks], Duration::ZERO)?)?;
        Ok(new.into_iter().map(|new| if new { Put::New } else { Put::Duplicate }).collect())
    }

    fn take(&mut self, max: usize, wait: Duration) -> Result<Vec<Lease>, QueueError> {
        let max = Value::Int(i64::try_from(max).unwrap_or(i64::MAX));
        let taken = self.call("take", &[max, seconds(wait)], wait)?;
        entries(taken)
            .map(|entry| {
                let [fence, id, attempt, body] = entry?;
                let fence: u64 = read(fence)?;
                let fence = Fence(fence.to_string());
                Ok(Lease { id: read(id)?, attempt: read(attempt)?, body, fence })
            })
            .collect()
    }

    fn extend(&mut self, leases: &[Fence]) -> Result<Vec<Verdict>, QueueError> {
        self.verdicts("extend", leases.iter().map(fence).collect())
    }

    fn complete(&mut self, done: &[(Fence, Value)]) -> Result<Vec<Verdict>, QueueError> {
        let pair = |(it, result): &(Fence, Value)| Value::Tuple(vec![fence(it), result.clone()]);
        self.verdicts("complete", done.iter().map(pair).collect())
    }

    fn fail(
        &mut self,
        lease: &Fence,
        error: &str,
        retry_in: Duration,
    ) -> Result<Verdict, QueueError> {
        let with = [fence(lease), error.into(), seconds(retry_in)];
        Ok(verdict(read(self.call("fail", &with, Duration::ZERO)?)?))
    }

    fn release(&mut self, leases: &[Fence]) -> Result<Vec<Verdict>, QueueError> {
        self.verdicts("release", leases.iter().map(fence).collect())
    }

    fn results(
        &mut self,
        after: &Cursor,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Done>, QueueError> {
        let after = Value::Int(after.0.parse().unwrap_or(0));
        let max = Value::Int(i64::try_from(max).unwrap_or(i64::MAX));
        let read_on = self.call("results", &[after, max, seconds(wait)], wait)?;
        entries(read_on)
            .map(|entry| {
                let [cursor, id, kind, value] = entry?;
                let cursor: u64 = read(cursor)?;
                let outcome = if kind == Value::from("value") {
                    Outcome::Value(value)
                } else {
                    let (attempts, error) = read(value)?;
                    Outcome::Dead { attempts, error }
                };
                Ok(Done { cursor: Cursor(cursor.to_string()), id: read(id)?, outcome })
            })
            .collect()
    }

    fn dead(&mut self) -> Result<Vec<Dead>, QueueError> {
        let dead = self.call("dead", &[], Duration::ZERO)?;
        let entry = |entry: Result<[Value; 3], _>| {
            let [id, failure, body] = entry?;
            let (attempts, error) = read(failure)?;
            Ok(Dead { id: read(id)?, attempts, error, body })
        };
        entries(dead).map(entry).collect()
    }

    fn retry(&mut self, ids: &[String]) -> Result<usize, QueueError> {
        let ids = ids.iter().map(|id| Value::from(&**id)).collect();
        read(self.call("retry", &[Value::List(ids)], Duration::ZERO)?)
    }

    fn stats(&mut self) -> Result<Stats, QueueError> {
        let Value::Dict(pairs) = self.call("stats", &[], Duration::ZERO)? else {
            return Err(QueueError::Answer("no statistics".into()));
        };
        let mut pairs: BTreeMap<String, Value> = pairs
            .into_iter()
            .filter_map(|(key, value)| match key {
                Value::Str(key) => Some((key, value)),
                _ => None,
            })
            .collect();
        let mut part = |name| pairs.remove(name).unwrap_or_default();
        let lease: f64 = read(part("lease"))?;
        let workers: Vec<(String, usize, usize)> = read(part("workers"))?;
        let worker = |(name, leased, done)| WorkerStats { name, leased, done };
        Ok(Stats {
            ready: read(part("ready"))?,
            delayed: read(part("delayed"))?,
            leased: read(part("leased"))?,
            done: read(part("done"))?,
            dead: read(part("dead"))?,
            lease: Duration::try_from_secs_f64(lease).unwrap_or_default(),
            workers: workers.into_iter().map(worker).collect(),
        })
    }

    fn purge(&mut self) -> Result<(), QueueError> {
        self.call("purge", &[], Duration::ZERO).map(drop)
    }

    /// Its tasks are in the server's memory, and end with it.
    fn durable(&self) -> bool {
        false
    }
}
