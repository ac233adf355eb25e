use std::collections::VecDeque;

use crate::pickle::{Class, Value};
use crate::queue::{Answer, Call, Kind, QueueConfig};

/// Python's `queue.Queue`, as it looks from inside the server.
#[derive(Debug)]
pub(crate) struct Queue {
    config: QueueConfig,
    items: VecDeque<Value>,
    /// Put, and not yet reported by `task_done`.
    unfinished: usize,
}

impl Queue {
    pub(crate) fn new(config: QueueConfig) -> Queue {
        Queue { config, items: VecDeque::new(), unfinished: 0 }
    }

    /// Answers a call, or says what it waits for. A value to be put stays in the call until there is
    /// room for it.
    pub(crate) fn call(&mut self, call: &mut Call) -> Answer {
        match call {
            Call::Put(..) if self.is_full() => Answer::Wait(Kind::Room),
            Call::Put(value, _) => {
                self.items.push_back(std::mem::take(value));
                self.unfinished += 1;
                Answer::Return(Value::None)
            }
            Call::Get(_) => match self.items.pop_front() {
                Some(value) => Answer::Hand(value),
                None => Answer::Wait(Kind::Item),
            },
            Call::Qsize => Answer::Return(count(self.items.len())),
            Call::Empty => Answer::Return(self.items.is_empty().into()),
            Call::Full => Answer::Return(self.is_full().into()),
            Call::TaskDone => match self.unfinished.checked_sub(1) {
                Some(left) => {
                    self.unfinished = left;
                    Answer::Return(Value::None)
                }
                None => Answer::value_error("task_done() called too many times"),
            },
            Call::Join if self.unfinished > 0 => Answer::Wait(Kind::Done),
            Call::Join => Answer::Return(Value::None),
        }
    }

    /// The answer to a call that waited for as long as it was to.
    pub(crate) fn give_up(kind: Kind) -> Answer {
        match kind {
            Kind::Item => Answer::Raise(Class::Empty, String::new()),
            Kind::Room => Answer::Raise(Class::Full, String::new()),
            Kind::Done => Answer::Return(Value::None),
        }
    }

    /// Whether a call that waits for this would now be answered.
    pub(crate) fn is_ready(&self, kind: Kind) -> bool {
        match kind {
            Kind::Item => !self.items.is_empty(),
            Kind::Room => !self.is_full(),
            Kind::Done => self.unfinished == 0,
        }
    }

    /// Takes back what was handed out and did not arrive, to be the next one out again.
    pub(crate) fn put_back(&mut self, value: Value) {
        self.items.push_front(value);
    }

    fn is_full(&self) -> bool {
        self.items.len() >= self.config.capacity
    }
}

fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

impl std::fmt::Display for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} values, {} at most", self.items.len(), self.config.capacity)
    }
}
