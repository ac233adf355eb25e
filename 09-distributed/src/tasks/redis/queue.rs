use std::time::{Duration, Instant};

use ::redis::{FromRedisValue, Script, Value as Reply, cmd, from_redis_value};

use crate::queue::too_long;
use crate::tasks::redis::{RedisTasks, millis, scripts};
use crate::tasks::{
    Cursor, Dead, Done, Fence, Lease, Outcome, Put, QueueError, Stats, TaskQueue, Verdict,
    WorkerStats,
};
use crate::{CallError, Value, from_pickle, to_pickle};

/// For how long one who waits does not look for himself. Whoever puts something wakes one of those who wait; but that
/// one may be stopped just then.
const POLL: Duration = Duration::from_secs(1);

/// What one call takes or reads at most.
const BATCH: usize = 10_000;

/// An entry of a stream: its place, then names and values in turns.
type Entry = (String, Vec<Vec<u8>>);

impl TaskQueue for RedisTasks {
    fn put(&mut self, tasks: &[(String, Value)]) -> Result<Vec<Put>, QueueError> {
        let mut arguments = Vec::with_capacity(2 * tasks.len());
        for (id, body) in tasks {
            arguments.extend([id.clone().into_bytes(), pickled(body)?]);
        }
        let replies: Vec<Reply> = self.run(&scripts::PUT, arguments)?;
        if let Some(Reply::BulkString(_)) = replies.first() {
            // A word: why none was put.
            let Ok([_, id, length, most]) = <[Reply; 4]>::try_from(replies) else {
                return Err(QueueError::Full);
            };
            let what = format!("the body of {:?}", read::<String>(id)?);
            return Err(QueueError::TooLong(too_long(&what, read(length)?, read(most)?)));
        }
        let put = |new| Ok(if read(new)? { Put::New } else { Put::Duplicate });
        replies.into_iter().map(put).collect()
    }

    fn take(&mut self, max: usize, wait: Duration) -> Result<Vec<Lease>, QueueError> {
        self.took = true;
        let (start, max) = (Instant::now(), max.clamp(1, BATCH).to_string());
        loop {
            let arguments = [self.worker.clone(), max.clone()].map(String::into_bytes);
            let mut replies = self.run::<Vec<Reply>>(&scripts::TAKE, arguments)?.into_iter();
            let more_in: i64 = read(replies.next().unwrap_or_default())?;
            if replies.len() > 0 {
                return self.leases(replies);
            }
            let left = wait.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(Vec::new());
            }
            let soon = u64::try_from(more_in).map_or(POLL, Duration::from_millis);
            // To the next millisecond, so that it is not too early. Zero would be for ever.
            let pause = millis(left.min(soon).min(POLL)) + 1;
            let mut wait_for = cmd("BLPOP");
            wait_for.arg(scripts::key(&self.name, "wake")).arg(pause as f64 / 1000.0);
            self.link.ask::<()>(POLL, |connection| wait_for.query(connection))?;
        }
    }

    fn extend(&mut self, leases: &[Fence]) -> Result<Vec<Verdict>, QueueError> {
        self.verdicts(&scripts::EXTEND, leases.iter().map(fence))
    }

    fn complete(&mut self, done: &[(Fence, Value)]) -> Result<Vec<Verdict>, QueueError> {
        let mut arguments = Vec::with_capacity(2 * done.len());
        for (lease, result) in done {
            arguments.extend([fence(lease), pickled(result)?]);
        }
        self.verdicts(&scripts::COMPLETE, arguments)
    }

    fn fail(
        &mut self,
        lease: &Fence,
        error: &str,
        retry_in: Duration,
    ) -> Result<Verdict, QueueError> {
        let retry_in = millis(retry_in).to_string();
        let arguments = [lease.0.clone(), error.to_owned(), retry_in].map(String::into_bytes);
        self.run(&scripts::FAIL, arguments).map(verdict)
    }

    fn release(&mut self, leases: &[Fence]) -> Result<Vec<Verdict>, QueueError> {
        self.verdicts(&scripts::RELEASE, leases.iter().map(fence))
    }

    fn results(
        &mut self,
        after: &Cursor,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Done>, QueueError> {
        let after = if after.0.is_empty() { "0" } else { &after.0 };
        let end = Instant::now() + wait;
        loop {
            let block = end.saturating_duration_since(Instant::now()).min(POLL);
            let mut read_on = cmd("XREAD");
            read_on.arg("COUNT").arg(max.clamp(1, BATCH));
            if !block.is_zero() {
                read_on.arg("BLOCK").arg(millis(block));
            }
            read_on.arg("STREAMS").arg(scripts::key(&self.name, "results")).arg(after);
            let streams: Option<Vec<(String, Vec<Entry>)>> =
                self.link.ask(block, |connection| read_on.query(connection))?;
            match streams.and_then(|mut streams| streams.pop()) {
                Some((_, entries)) => return entries.into_iter().map(done).collect(),
                None if block.is_zero() => return Ok(Vec::new()),
                None => {}
            }
        }
    }

    fn dead(&mut self) -> Result<Vec<Dead>, QueueError> {
        let mut list = cmd("XRANGE");
        list.arg(scripts::key(&self.name, "dead")).arg("-").arg("+").arg("COUNT").arg(1000);
        let dead: Vec<Entry> =
            self.link.ask(Duration::ZERO, |connection| list.query(connection))?;
        let entry = |(_, fields): Entry| {
            let [_, id, _, body, _, tried, _, error] = &*fields else { return Err(strange()) };
            let (attempts, error) = failure(tried, error);
            Ok(Dead { id: Some(text(id)), attempts, error, body: unpickled(body)? })
        };
        dead.into_iter().map(entry).collect()
    }

    fn retry(&mut self, ids: &[String]) -> Result<usize, QueueError> {
        self.run(&scripts::RETRY, ids.iter().map(|id| id.clone().into_bytes()))
    }

    fn stats(&mut self) -> Result<Stats, QueueError> {
        let mut replies = self.run::<Vec<Reply>>(&scripts::STATS, [])?.into_iter();
        let mut next = || read::<usize>(replies.next().unwrap_or_default());
        let [ready, delayed, leased, done, dead] = [next()?, next()?, next()?, next()?, next()?];
        let lease = Duration::from_millis(next()? as u64);
        let mut workers = Vec::new();
        while let Some(name) = replies.next() {
            let mut next = || read(replies.next().unwrap_or_default());
            workers.push(WorkerStats { name: read(name)?, leased: next()?, done: next()? });
        }
        Ok(Stats { ready, delayed, leased, done, dead, lease, workers })
    }

    fn purge(&mut self) -> Result<(), QueueError> {
        self.run(&scripts::PURGE, [])
    }

    /// They outlive the server's death, if it is set up for that: see [`risks`](RedisTasks::risks).
    fn durable(&self) -> bool {
        self.durable
    }
}

impl RedisTasks {
    fn verdicts(
        &mut self,
        script: &'static Script,
        arguments: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<Vec<Verdict>, QueueError> {
        let held: Vec<bool> = self.run(script, arguments)?;
        Ok(held.into_iter().map(verdict).collect())
    }

    /// Of each lease five parts.
    fn leases(&self, mut replies: std::vec::IntoIter<Reply>) -> Result<Vec<Lease>, QueueError> {
        let mut leases = Vec::with_capacity(replies.len() / 5);
        while replies.len() > 0 {
            let mut next = || replies.next().unwrap_or_default();
            let (entry, delivery): (String, u64) = (read(next())?, read(next())?);
            let (attempt, id, body): (_, String, Vec<u8>) =
                (read(next())?, read(next())?, read(next())?);
            let fence = Fence(format!("{entry}/{delivery}/{}/{id}", self.worker));
            leases.push(Lease { id, body: unpickled(&body)?, attempt, fence });
        }
        Ok(leases)
    }
}

/// An entry of the log.
fn done((place, fields): Entry) -> Result<Done, QueueError> {
    let (id, outcome) = match &*fields {
        [_, id, _, value] => (id, Outcome::Value(unpickled(value)?)),
        [_, id, _, tried, _, error] => {
            let (attempts, error) = failure(tried, error);
            (id, Outcome::Dead { attempts, error })
        }
        _ => return Err(strange()),
    };
    Ok(Done { cursor: Cursor(place), id: text(id), outcome })
}

/// How often a dead task was tried, and its last error.
fn failure(tried: &[u8], error: &[u8]) -> (u32, Option<String>) {
    (text(tried).parse().unwrap_or(0), (!error.is_empty()).then(|| text(error)))
}

fn verdict(held: bool) -> Verdict {
    if held { Verdict::Accepted } else { Verdict::LeaseLost }
}

fn fence(fence: &Fence) -> Vec<u8> {
    fence.0.clone().into_bytes()
}

fn pickled(value: &Value) -> Result<Vec<u8>, QueueError> {
    to_pickle(value).map_err(|error| QueueError::Call(CallError::Pickle(error)))
}

fn unpickled(bytes: &[u8]) -> Result<Value, QueueError> {
    from_pickle(bytes).map_err(|error| QueueError::Answer(error.to_string()))
}

fn read<T: FromRedisValue>(reply: Reply) -> Result<T, QueueError> {
    from_redis_value(reply).map_err(|error| QueueError::Answer(error.to_string()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn strange() -> QueueError {
    QueueError::Answer("an entry that none of these scripts has written".to_owned())
}
