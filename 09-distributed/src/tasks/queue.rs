use std::time::Duration;

use crate::Value;
use crate::tasks::QueueError;

/// Tasks that are lent and not given, in whatever engine.
///
/// The promise: each task is done *at least* once, and has *exactly* one result. A worker that dies, or is silent for
/// longer than its lease, loses its tasks to the next one; what it brings after that is refused. So a
/// task must bear being begun twice; its result is recorded once.
///
/// Every call may be tried again when its answer was lost: that harms nothing. Each one is [`QueueError::Forgotten`] once when the
/// server was restarted and has lost what it had.
pub trait TaskQueue: Send {
    /// Puts tasks, each with an id of yours. An id that was ever put is a duplicate, also when its task is done
    /// long since.
    ///
    /// # Errors
    ///
    /// [`QueueError::Full`] when there is not room for all of them, [`QueueError::TooLong`] when a body is longer
    /// than the queue's [`max_body`](crate::QueueConfig::max_body): then none was put.
    fn put(&mut self, tasks: &[(String, Value)]) -> Result<Vec<Put>, QueueError>;

    /// Takes what there is, up to `max`, waiting for the first one this long.
    ///
    /// # Errors
    ///
    /// When the engine can't be reached.
    fn take(&mut self, max: usize, wait: Duration) -> Result<Vec<Lease>, QueueError>;

    /// Makes leases last longer, counted from now.
    ///
    /// # Errors
    ///
    /// When the engine can't be reached.
    fn extend(&mut self, leases: &[Fence]) -> Result<Vec<Verdict>, QueueError>;

    /// Records results and takes their tasks off the list, in one step.
    ///
    /// # Errors
    ///
    /// When the engine can't be reached.
    fn complete(&mut self, done: &[(Fence, Value)]) -> Result<Vec<Verdict>, QueueError>;

    /// Gives a task back that could not be done. It counts as an attempt, and is tried again not before
    /// `retry_in` has passed; after too many attempts it is dead.
    ///
    /// # Errors
    ///
    /// When the engine can't be reached.
    fn fail(
        &mut self,
        lease: &Fence,
        error: &str,
        retry_in: Duration,
    ) -> Result<Verdict, QueueError>;

    /// Gives tasks back that were not begun, by a worker that ends as it was asked to: they are the next ones again, and
    /// it does not count as an attempt.
    ///
    /// # Errors
    ///
    /// When the engine can't be reached.
    fn release(&mut self, leases: &[Fence]) -> Result<Vec<Verdict>, QueueError>;

    /// Reads results, one for each id, after a point in their order, waiting for the first one this long.
    /// They stay: the same point gives the same results, to a master that starts anew, too.
    ///
    /// # Errors
    ///
    /// When the engine can't be reached.
    fn results(
        &mut self,
        after: &Cursor,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Done>, QueueError>;

    /// Lists the dead, a thousand at most.
    ///
    /// # Errors
    ///
    /// When the engine can't be reached.
    fn dead(&mut self) -> Result<Vec<Dead>, QueueError>;

    /// Gives the dead with these ids, or all of them, another life, and maybe another result. Says how many.
    ///
    /// # Errors
    ///
    /// When the engine can't be reached.
    fn retry(&mut self, ids: &[String]) -> Result<usize, QueueError>;

    /// How many there are of what.
    ///
    /// # Errors
    ///
    /// When the engine can't be reached.
    fn stats(&mut self) -> Result<Stats, QueueError>;

    /// Forgets all tasks that were put here, their ids and their results.
    ///
    /// # Errors
    ///
    /// When the engine can't be reached.
    fn purge(&mut self) -> Result<(), QueueError>;

    /// Whether tasks outlive the engine's own death.
    fn durable(&self) -> bool;
}

/// Whether a task was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is in the queue now.
    New,
    /// Its id was there before, and nothing changed.
    Duplicate,
}

/// Whether who called still had the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done as asked.
    Accepted,
    /// Somebody else has the task by now, or has done it: nothing changed.
    LeaseLost,
}

/// A task, for a time.
#[derive(Debug)]
pub struct Lease {
    /// The task's id; the engine's own if it was put without one.
    pub id: String,
    /// What is to be done.
    pub body: Value,
    /// How often it was lent, this time included.
    pub attempt: u32,
    pub(crate) fence: Fence,
}

impl Lease {
    /// What this lease is known by, and no other lease of the same task.
    pub fn fence(&self) -> Fence {
        self.fence.clone()
    }
}

/// Names one lease: who shows it is told whether it still holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fence(pub(crate) String);

/// A point in the results. The default one lies before the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor(pub(crate) String);

/// A task that needs nobody any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The point just after it.
    pub cursor: Cursor,
    /// The task's id.
    pub id: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Its result.
    Value(Value),
    /// It was tried too often.
    Dead {
        /// How often.
        attempts: u32,
        /// What the last worker said, or what was seen of its end.
        error: Option<String>,
    },
}

/// How a queue is doing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    /// Tasks for the next `take`.
    pub ready: usize,
    /// Failed ones that wait before they are tried again.
    pub delayed: usize,
    /// Lent ones.
    pub leased: usize,
    /// Done ones.
    pub done: usize,
    /// Those that are tried no more.
    pub dead: usize,
    /// How long a lease is.
    pub lease: Duration,
    /// Those who have taken something and are still connected.
    pub workers: Vec<WorkerStats>,
}

/// How a worker is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStats {
    /// What it calls itself.
    pub name: String,
    /// What it has on lease.
    pub leased: usize,
    /// What it has done.
    pub done: usize,
}

/// A task that is tried no more.
#[derive(Debug, Clone, PartialEq)]
pub struct Dead {
    /// Its id, if it was put with one.
    pub id: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// What the last worker said, or what was seen of its end.
    pub error: Option<String>,
    /// What was to be done.
    pub body: Value,
}
