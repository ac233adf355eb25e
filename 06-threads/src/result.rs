use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{error, fmt};

use crate::panics::Panic;
use crate::watched::Watched;

/// Why a task gave no value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskError {
    /// The task panicked. Its worker, and all other tasks, go on.
    Panicked {
        /// The panic's message.
        message: String,
        /// Where: file, line and column.
        place: String,
    },
    /// The pool was terminated before the task was done.
    Terminated,
}

impl From<Panic> for TaskError {
    fn from(Panic { message, place }: Panic) -> TaskError {
        TaskError::Panicked { message, place }
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TaskError::Panicked { message, place } => {
                write!(f, "a task panicked at {place}: {message}")
            }
            TaskError::Terminated => {
                write!(f, "the pool was terminated before the task was done")
            }
        }
    }
}

impl error::Error for TaskError {}

#[derive(Debug)]
enum Slot<R> {
    Waiting,
    Done(Result<R, TaskError>),
    GivenOut,
}

/// The value of a task that runs, or waits for a worker.
///
/// Unlike a [`Thread`](crate::Thread), whose `join` waits for a thread's end, it waits for a
/// value: the thread goes on to the next task. Whoever drops it gives up the value and not the task.
#[derive(Debug)]
pub struct AsyncResult<R>(Arc<Watched<Slot<R>>>);

impl<R> AsyncResult<R> {
    /// Waits for the value.
    ///
    /// A task that waits here for another task of its own pool does other tasks meanwhile, so a
    /// pool can't be blocked by all of its workers waiting for one another. Hold no lock there that
    /// these tasks take.
    ///
    /// # Errors
    ///
    /// The task's.
    ///
    /// # Panics
    ///
    /// If [`get_timeout`](AsyncResult::get_timeout) has given out the value.
    pub fn get(self) -> Result<R, TaskError> {
        self.0.wait(None, take).expect("waits for ever").expect("the value was given out before")
    }

    /// Waits for the value at most that long; `None` if it is not there by then, and a later call
    /// gets it.
    ///
    /// # Errors
    ///
    /// The task's.
    ///
    /// # Panics
    ///
    /// If an earlier call has given out the value.
    pub fn get_timeout(&mut self, timeout: Duration) -> Result<Option<R>, TaskError> {
        let Some(taken) = self.0.wait(Instant::now().checked_add(timeout), take) else {
            return Ok(None);
        };
        taken.expect("the value was given out before").map(Some)
    }

    /// Waits until the task is done, and leaves the value where it is.
    pub fn wait(&self) {
        let _ = self.0.wait(None, |slot| is_done(slot).then_some(()));
    }

    /// Waits at most that long; whether the task is done.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        self.0.wait(deadline, |slot| is_done(slot).then_some(())).is_some()
    }

    /// Whether the task is done, well or not.
    pub fn ready(&self) -> bool {
        self.0.look(|slot| is_done(slot))
    }

    /// Whether the task was done well; `None` while it is not done, and after its value was given
    /// out.
    pub fn successful(&self) -> Option<bool> {
        self.0.look(|slot| match slot {
            Slot::Done(result) => Some(result.is_ok()),
            Slot::Waiting | Slot::GivenOut => None,
        })
    }
}

fn is_done<R>(slot: &Slot<R>) -> bool {
    !matches!(slot, Slot::Waiting)
}

/// What is there, or `Some(None)` for what was there.
fn take<R>(slot: &mut Slot<R>) -> Option<Option<Result<R, TaskError>>> {
    match std::mem::replace(slot, Slot::GivenOut) {
        Slot::Done(result) => Some(Some(result)),
        Slot::GivenOut => Some(None),
        Slot::Waiting => {
            *slot = Slot::Waiting;
            None
        }
    }
}

/// The other side of an [`AsyncResult`]: what the task has.
///
/// Dropped without a value, because the task itself was dropped, it sends
/// [`TaskError::Terminated`]: nobody waits for ever.
pub(crate) struct Promise<R>(Option<Arc<Watched<Slot<R>>>>);

impl<R> Promise<R> {
    pub(crate) fn new() -> (Promise<R>, AsyncResult<R>) {
        let slot = Arc::new(Watched::new(Slot::Waiting));
        (Promise(Some(Arc::clone(&slot))), AsyncResult(slot))
    }

    pub(crate) fn keep(mut self, result: Result<R, TaskError>) {
        self.put(result);
    }

    fn put(&mut self, result: Result<R, TaskError>) {
        if let Some(slot) = self.0.take() {
            slot.change(|slot| *slot = Slot::Done(result));
        }
    }
}

impl<R> Drop for Promise<R> {
    fn drop(&mut self) {
        self.put(Err(TaskError::Terminated));
    }
}
