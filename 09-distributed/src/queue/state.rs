use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Instant;

use crate::pickle::{Class, Value, to_pickle};
use crate::queue::{Answer, Call, Kind, QueueConfig};

/// Python's `queue.Queue`, and the leases beside it, as they look from inside the server.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(super) config: QueueConfig,
    /// What came by `put`. `get` takes from here.
    pub(super) plain: VecDeque<Task>,
    /// Put, and not yet reported by `task_done`, or completed.
    pub(super) unfinished: usize,

    /// What came with an id, by `put_tasks`.
    pub(super) named: VecDeque<Task>,
    /// Ids that were ever put.
    pub(super) known: HashSet<String>,
    /// Failed, to be tried again at this moment. The number keeps two of the same moment apart.
    pub(super) delayed: BTreeMap<(Instant, u64), Task>,
    /// Lent, by fence.
    pub(super) lent: HashMap<u64, Lent>,
    /// When their leases end.
    pub(super) deadlines: BTreeSet<(Instant, u64)>,
    /// Given once: a lease that has ended has the number of no other.
    pub(super) fence: u64,
    /// Results of tasks with ids, for everybody to read, from any point on.
    pub(super) log: Vec<(String, Result<Value, Failure>)>,
    pub(super) dead: Vec<Task>,
    pub(super) done: usize,
    /// Results of tasks without an id, to be put elsewhere.
    pub(crate) outgoing: Vec<Value>,
    /// Who has taken, by connection.
    pub(super) workers: BTreeMap<u64, Worker>,
}

/// Something to do.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) id: Option<String>,
    pub(super) body: Value,
    pub(super) attempts: u32,
    pub(super) error: Option<String>,
}

/// A task, and who has it.
#[derive(Debug)]
pub(super) struct Lent {
    pub(super) task: Task,
    pub(super) holder: u64,
    pub(super) deadline: Instant,
}

/// Attempts, and the last error.
#[derive(Debug, Clone)]
pub(super) struct Failure(pub(super) u32, pub(super) Option<String>);

#[derive(Debug, Default)]
pub(super) struct Worker {
    pub(super) name: String,
    pub(super) done: usize,
}

/// Who calls, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) id: u64,
    pub(crate) name: &'a str,
    pub(crate) now: Instant,
}

impl Queue {
    pub(crate) fn new(config: QueueConfig) -> Queue {
        Queue {
            config,
            plain: VecDeque::new(),
            unfinished: 0,
            named: VecDeque::new(),
            known: HashSet::new(),
            delayed: BTreeMap::new(),
            lent: HashMap::new(),
            deadlines: BTreeSet::new(),
            fence: 0,
            log: Vec::new(),
            dead: Vec::new(),
            done: 0,
            outgoing: Vec::new(),
            workers: BTreeMap::new(),
        }
    }

    /// Answers a call, or says what it waits for. A value to be put stays in the call until there is
    /// room for it.
    pub(crate) fn call(&mut self, call: &mut Call, who: Caller<'_>) -> Answer {
        if let Call::Put(value, _) = &call
            && let Err(refused) = self.check_length("the value", value)
        {
            return refused;
        }
        match call {
            Call::Put(..) if self.is_full() => Answer::Wait(Kind::Room),
            Call::Put(value, _) => {
                self.put(std::mem::take(value));
                Answer::Return(Value::None)
            }
            Call::Get(_) => match self.plain.pop_front() {
                Some(task) => Answer::Hand(task.body),
                None => Answer::Wait(Kind::Item),
            },
            Call::Qsize => Answer::Return(count(self.plain.len())),
            Call::Empty => Answer::Return(self.plain.is_empty().into()),
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
            Call::PutTasks(tasks) => self.put_tasks(std::mem::take(tasks)),
            Call::Take(max, _) => self.take(*max, who),
            Call::Extend(fences) => self.extend(fences, who),
            Call::Complete(done) => self.complete(std::mem::take(done), who),
            Call::Fail(fence, error, retry_in) => {
                Answer::Return(self.fail(*fence, std::mem::take(error), who.now + *retry_in).into())
            }
            Call::Release(fences) => Answer::Return(self.release(fences)),
            Call::Results { after, max, .. } => self.results(*after, *max),
            Call::Stats => Answer::Return(self.stats()),
            Call::Dead => Answer::Return(self.list_dead()),
            Call::Retry(ids) => Answer::Return(self.retry(ids)),
            Call::Purge => {
                self.purge();
                Answer::Return(Value::None)
            }
        }
    }

    /// The answer to a call that waited for as long as it was to.
    pub(crate) fn give_up(kind: Kind) -> Answer {
        match kind {
            Kind::Item => Answer::Raise(Class::Empty, String::new()),
            Kind::Room => Answer::Raise(Class::Full, String::new()),
            Kind::Done => Answer::Return(Value::None),
            Kind::Task | Kind::Result => Answer::Return(Value::List(Vec::new())),
        }
    }

    /// Whether a call that waits for this might now be answered.
    pub(crate) fn is_ready(&self, kind: Kind, now: Instant) -> bool {
        match kind {
            Kind::Item => !self.plain.is_empty(),
            Kind::Room => !self.is_full(),
            Kind::Done => self.unfinished == 0,
            Kind::Task => {
                let due = self.next_due().is_some_and(|due| due <= now);
                due || !self.named.is_empty() || (self.lends_plain() && !self.plain.is_empty())
            }
            // Those who wait have read up to somewhere; they look for themselves.
            Kind::Result => false,
        }
    }

    /// Whether a body is short enough; if it isn't, what to say of it.
    pub(super) fn check_length(&self, what: &str, body: &Value) -> Result<(), Answer> {
        let most = self.config.max_body;
        // As good as always it is short, and that is seen without making its pickle.
        if body.pickled_at_most() <= most {
            return Ok(());
        }
        match to_pickle(body) {
            Ok(pickle) if pickle.len() <= most => Ok(()),
            Ok(pickle) => Err(Answer::value_error(too_long(what, pickle.len(), most))),
            Err(error) => Err(Answer::value_error(format!("{what}: {error}"))),
        }
    }

    /// A value, whether there is room or not.
    pub(crate) fn put(&mut self, value: Value) {
        self.plain.push_back(Task { id: None, body: value, attempts: 0, error: None });
        self.unfinished += 1;
    }

    /// Takes back what was handed out and did not arrive, to be the next one out again.
    pub(crate) fn put_back(&mut self, value: Value) {
        self.plain.push_front(Task { id: None, body: value, attempts: 0, error: None });
    }

    /// Where the log ends.
    pub(crate) fn log_end(&self) -> usize {
        self.log.len()
    }

    /// What the server has to know of it.
    pub(crate) fn config(&self) -> &QueueConfig {
        &self.config
    }

    pub(crate) fn is_full(&self) -> bool {
        self.held() >= self.config.capacity
    }

    /// Everything that is not done yet.
    pub(super) fn held(&self) -> usize {
        self.plain.len() + self.named.len() + self.delayed.len() + self.lent.len()
    }
}

/// For whoever has put it.
pub(crate) fn too_long(what: &str, length: usize, most: usize) -> String {
    format!(
        "{what} is {length} bytes long as a pickle, and {most} is the most in this queue: put it where all can \
         read it, and its name into the queue"
    )
}

pub(super) fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

impl std::fmt::Display for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} values, {} at most", self.held(), self.config.capacity)
    }
}
