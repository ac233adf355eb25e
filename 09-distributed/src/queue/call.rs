use std::time::Duration;

use crate::pickle::{Class, Value};

/// The methods of a queue: those that Python has, then those of leases.
#[rustfmt::skip]
pub const METHODS: &[&str] = &[
    "put", "get", "put_nowait", "get_nowait", "qsize", "empty", "full", "task_done", "join",
    "put_tasks", "take", "extend", "complete", "fail", "release", "results", "stats", "dead", "retry",
    "purge",
];

/// How much one call may take or read.
const BATCH: usize = 10_000;

/// A method call, its arguments read.
#[derive(Debug)]
pub(crate) enum Call {
    /// The value, until it is in the queue.
    Put(Value, Wait),
    Get(Wait),
    Qsize,
    Empty,
    Full,
    TaskDone,
    Join,
    /// Ids and bodies.
    PutTasks(Vec<(String, Value)>),
    Take(usize, Wait),
    /// A lease is named by its fence.
    Extend(Vec<u64>),
    Complete(Vec<(u64, Value)>),
    Fail(u64, String, Duration),
    Release(Vec<u64>),
    Results {
        after: usize,
        max: usize,
        wait: Wait,
    },
    Stats,
    Dead,
    Retry(Vec<String>),
    Purge,
}

/// For how long a call may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    No,
    For(Duration),
    Forever,
}

/// What a call is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Item,
    Room,
    Done,
    Task,
    Result,
}

impl Kind {
    pub(crate) const ALL: [Kind; 5] =
        [Kind::Item, Kind::Room, Kind::Done, Kind::Task, Kind::Result];
}

/// What became of a call.
#[derive(Debug)]
pub(crate) enum Answer {
    Return(Value),
    /// A value that left the queue. If it can't be delivered, it goes back.
    Hand(Value),
    /// An exception that arrives as itself.
    Raise(Class, String),
    /// Nothing yet.
    Wait(Kind),
}

impl Answer {
    pub(crate) fn type_error(text: impl Into<String>) -> Answer {
        Answer::Raise(Class::Exception("TypeError"), text.into())
    }

    pub(crate) fn value_error(text: impl Into<String>) -> Answer {
        Answer::Raise(Class::Exception("ValueError"), text.into())
    }
}

impl Call {
    /// Reads a call's arguments; what is wrong with them is the answer.
    pub(crate) fn parse(
        method: &str,
        positional: Vec<Value>,
        keywords: Vec<(Value, Value)>,
    ) -> Result<Call, Answer> {
        let mut given = Arguments { positional: positional.into_iter(), keywords, method };
        let call = match method {
            "put" => Call::Put(given.needed("item")?, given.wait()?),
            "put_nowait" => Call::Put(given.needed("item")?, Wait::No),
            "get" => Call::Get(given.wait()?),
            "get_nowait" => Call::Get(Wait::No),
            "qsize" => Call::Qsize,
            "empty" => Call::Empty,
            "full" => Call::Full,
            "task_done" => Call::TaskDone,
            "join" => Call::Join,
            "put_tasks" => Call::PutTasks(given.pairs("tasks", |id| match id {
                Value::Str(id) => Some(id),
                _ => None,
            })?),
            "take" => Call::Take(given.count("max", 1)?.clamp(1, BATCH), given.time("wait")?),
            "extend" => Call::Extend(given.fences("leases")?),
            "release" => Call::Release(given.fences("leases")?),
            "complete" => Call::Complete(given.pairs("done", |fence| number(&fence))?),
            "fail" => {
                let fence = number(&given.needed("lease")?).unwrap_or(0);
                let Value::Str(error) = given.needed("error")? else {
                    return Err(Answer::type_error("'error' must be a str"));
                };
                let retry_in = match given.time("retry_in")? {
                    Wait::For(time) => time,
                    _ => Duration::ZERO,
                };
                Call::Fail(fence, error, retry_in)
            }
            "results" => Call::Results {
                after: given.count("after", 0)?,
                max: given.count("max", 100)?.clamp(1, BATCH),
                wait: given.time("wait")?,
            },
            "stats" => Call::Stats,
            "dead" => Call::Dead,
            "retry" => Call::Retry(
                given
                    .list("ids")?
                    .into_iter()
                    .filter_map(|id| match id {
                        Value::Str(id) => Some(id),
                        _ => None,
                    })
                    .collect(),
            ),
            "purge" => Call::Purge,
            _ => return Err(Answer::type_error(format!("no method {method}()"))),
        };
        given.end()?;
        Ok(call)
    }

    pub(crate) fn wait(&self) -> Wait {
        match self {
            Call::Put(_, wait) | Call::Get(wait) | Call::Take(_, wait) => *wait,
            Call::Results { wait, .. } => *wait,
            Call::Join => Wait::Forever,
            _ => Wait::No,
        }
    }
}

/// Arguments by position or by keyword, as Python binds them.
struct Arguments<'a> {
    positional: std::vec::IntoIter<Value>,
    keywords: Vec<(Value, Value)>,
    method: &'a str,
}

impl Arguments<'_> {
    fn next(&mut self, name: &str) -> Option<Value> {
        self.positional.next().or_else(|| {
            let at = self.keywords.iter().position(|(key, _)| *key == Value::from(name))?;
            Some(self.keywords.swap_remove(at).1)
        })
    }

    fn needed(&mut self, name: &str) -> Result<Value, Answer> {
        self.next(name).ok_or_else(|| {
            let method = self.method;
            let text = format!("{method}() missing 1 required positional argument: '{name}'");
            Answer::type_error(text)
        })
    }

    /// `block=True, timeout=None`
    fn wait(&mut self) -> Result<Wait, Answer> {
        let block = match self.next("block") {
            None => true,
            Some(Value::Bool(flag)) => flag,
            Some(Value::Int(number)) => number != 0,
            Some(Value::None) => false,
            Some(_) => return Err(Answer::type_error("block must be a bool")),
        };
        let timeout = self.next("timeout");
        if !block {
            return Ok(Wait::No);
        }
        match timeout {
            None | Some(Value::None) => Ok(Wait::Forever),
            Some(seconds) => Ok(Wait::For(duration(&seconds)?)),
        }
    }

    /// Seconds to wait, none without this.
    fn time(&mut self, name: &str) -> Result<Wait, Answer> {
        match self.next(name) {
            None | Some(Value::None) => Ok(Wait::No),
            Some(seconds) => duration(&seconds).map(|time| match time {
                Duration::ZERO => Wait::No,
                time => Wait::For(time),
            }),
        }
    }

    fn count(&mut self, name: &str, usual: usize) -> Result<usize, Answer> {
        let Some(value) = self.next(name) else { return Ok(usual) };
        let count = number(&value).and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| Answer::type_error(format!("'{name}' must be an int from 0 on")))
    }

    fn list(&mut self, name: &str) -> Result<Vec<Value>, Answer> {
        match self.needed(name)? {
            Value::List(items) | Value::Tuple(items) => Ok(items),
            _ => Err(Answer::type_error(format!("'{name}' must be a list"))),
        }
    }

    /// What is no fence is one that nobody holds.
    fn fences(&mut self, name: &str) -> Result<Vec<u64>, Answer> {
        Ok(self.list(name)?.iter().map(|lease| number(lease).unwrap_or(0)).collect())
    }

    fn pairs<K>(
        &mut self,
        name: &str,
        key: impl Fn(Value) -> Option<K>,
    ) -> Result<Vec<(K, Value)>, Answer> {
        let pair = |item| match item {
            Value::Tuple(pair) | Value::List(pair) => {
                let [first, second] = <[Value; 2]>::try_from(pair).ok()?;
                Some((key(first)?, second))
            }
            _ => None,
        };
        let pairs: Option<Vec<_>> = self.list(name)?.into_iter().map(pair).collect();
        pairs.ok_or_else(|| Answer::type_error(format!("'{name}' must be a list of pairs")))
    }

    fn end(&mut self) -> Result<(), Answer> {
        let extra = self.positional.len() + self.keywords.len();
        if extra > 0 {
            let text = format!("{}() got {extra} unexpected arguments", self.method);
            return Err(Answer::type_error(text));
        }
        Ok(())
    }
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// Seconds, whole or not. What is longer than a year is a year.
fn duration(seconds: &Value) -> Result<Duration, Answer> {
    let seconds = match seconds {
        #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 seconds nobody waits exactly")]
        Value::Int(seconds) => *seconds as f64,
        Value::Float(seconds) => *seconds,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        _ => return Err(Answer::type_error("'timeout' must be a number or None")),
    };
    if seconds < 0.0 || seconds.is_nan() {
        return Err(Answer::value_error("'timeout' must be a non-negative number"));
    }
    Ok(Duration::from_secs_f64(seconds.min(366.0 * 86_400.0)))
}
