use std::time::Duration;

use crate::pickle::{Class, Value};

/// The methods of a queue, as Python names them.
pub const METHODS: &[&str] =
    &["put", "get", "put_nowait", "get_nowait", "qsize", "empty", "full", "task_done", "join"];

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
            _ => return Err(Answer::type_error(format!("no method {method}()"))),
        };
        given.end()?;
        Ok(call)
    }

    pub(crate) fn wait(&self) -> Wait {
        match self {
            Call::Put(_, wait) | Call::Get(wait) => *wait,
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
        let missing =
            || format!("{}() missing 1 required positional argument: '{name}'", self.method);
        let missing = missing();
        self.next(name).ok_or_else(|| Answer::type_error(missing))
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

    fn end(&mut self) -> Result<(), Answer> {
        let extra = self.positional.len() + self.keywords.len();
        if extra > 0 {
            let text = format!("{}() got {extra} unexpected arguments", self.method);
            return Err(Answer::type_error(text));
        }
        Ok(())
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
