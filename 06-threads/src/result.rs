use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::PoolError;
use crate::watched::Watched;

#[derive(Debug)]
enum Slot<R> {
    Waiting,
    Done(Result<R, PoolError>),
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
    /// [`PoolError::Panicked`], [`PoolError::Terminated`]; [`PoolError::GivenOut`] after
    /// [`get_timeout`](AsyncResult::get_timeout) gave the value.
    pub fn get(self) -> Result<R, PoolError> {
        self.0.wait(None, take).unwrap_or(Err(PoolError::Terminated))
    }

    /// Waits for the value at most that long; `None` if it is not there by then, and a later call
    /// gets it.
    ///
    /// # Errors
    ///
    /// As [`get`](AsyncResult::get).
    pub fn get_timeout(&mut self, timeout: Duration) -> Result<Option<R>, PoolError> {
        self.0.wait(Instant::now().checked_add(timeout), take).transpose()
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

/// What is there; nothing as long as it is not.
fn take<R>(slot: &mut Slot<R>) -> Option<Result<R, PoolError>> {
    if !is_done(slot) {
        return None;
    }
    match std::mem::replace(slot, Slot::GivenOut) {
        Slot::Done(result) => Some(result),
        Slot::Waiting | Slot::GivenOut => Some(Err(PoolError::GivenOut)),
    }
}

/// The other side of an [`AsyncResult`]: what the task has.
///
/// Dropped without a value, because the task itself was dropped, it sends
/// [`PoolError::Terminated`]: nobody waits for ever.
pub(crate) struct Promise<R>(Option<Arc<Watched<Slot<R>>>>);

impl<R> Promise<R> {
    pub(crate) fn new() -> (Promise<R>, AsyncResult<R>) {
        let slot = Arc::new(Watched::new(Slot::Waiting));
        (Promise(Some(Arc::clone(&slot))), AsyncResult(slot))
    }

    pub(crate) fn keep(mut self, result: Result<R, PoolError>) {
        self.put(result);
    }

    fn put(&mut self, result: Result<R, PoolError>) {
        if let Some(slot) = self.0.take() {
            slot.change(|slot| *slot = Slot::Done(result));
        }
    }
}

impl<R> Drop for Promise<R> {
    fn drop(&mut self) {
        self.put(Err(PoolError::Terminated));
    }
}
