use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::Error;
use crate::chunk::{self, Failure};
use crate::engine::Want;
use crate::job::Job;
use crate::pump::Pump;

/// A result that may still be on its way.
///
/// Unlike a thread's `JoinHandle`, which is a thread's end, it is one value out of many that a pool
/// makes. Dropping it changes nothing: the task runs all the same.
pub struct AsyncResult<T> {
    pub(crate) job: Arc<Job>,
    pub(crate) pump: Arc<Pump>,
    pub(crate) read: fn(&Job) -> Result<T, Error>,
    pub(crate) value: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for AsyncResult<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncResult").field("ready", &self.ready()).finish_non_exhaustive()
    }
}

impl<T> AsyncResult<T> {
    /// Waits for the result. It can be had again.
    ///
    /// The wait has no deadline, since a task may rightly run for ever; its worker's death ends it.
    ///
    /// # Errors
    ///
    /// [`Error`] says what became of the task instead.
    pub fn get(&self) -> Result<T, Error> {
        self.wait();
        self.value()
    }

    /// Waits at most that long; `None` if there is no result by then, and a later call gets it.
    ///
    /// # Errors
    ///
    /// As [`get`](AsyncResult::get).
    pub fn get_timeout(&self, timeout: Duration) -> Result<Option<T>, Error> {
        if self.wait_timeout(timeout) { self.value().map(Some) } else { Ok(None) }
    }

    /// Waits until there is a result, or an error.
    pub fn wait(&self) {
        if !self.ready() && self.pump.refusal().is_none() {
            self.pump.wait(Want::Job(&self.job), None);
        }
    }

    /// Waits at most that long; whether there is a result, or an error.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        if !self.ready() && self.pump.refusal().is_none() {
            self.pump.wait(Want::Job(&self.job), Instant::now().checked_add(timeout));
        }
        self.ready()
    }

    /// Whether there is a result, or an error. Does not wait.
    pub fn ready(&self) -> bool {
        self.job.is_done() || self.pump.is_broken()
    }

    /// Whether the task was successful; `None` while it is not [ready](AsyncResult::ready).
    pub fn successful(&self) -> Option<bool> {
        self.ready().then(|| self.value().is_ok())
    }

    fn value(&self) -> Result<T, Error> {
        if !self.job.is_done() {
            return Err(self.pump.refusal().unwrap_or(Error::NotOurs));
        }
        (self.read)(&self.job)
    }
}

pub(crate) fn read_one<R: DeserializeOwned>(job: &Job) -> Result<R, Error> {
    let mut value = Err(Error::Terminated);
    let _ = job.read::<()>(|answer| {
        value = answer
            .and_then(|(pid, bytes)| chunk::only(bytes).map_err(|failure| failure.into_error(pid)));
        Ok(())
    });
    value
}

pub(crate) fn read_all<R: DeserializeOwned>(job: &Job) -> Result<Vec<R>, Error> {
    let mut values = Vec::new();
    job.read::<Error>(|answer| {
        let (pid, bytes) = answer?;
        let mut answers = chunk::open(bytes).map_err(|failure| failure.into_error(pid))?;
        values.reserve(answers.left());
        while let Some(value) = answers.next(Failure::Result) {
            values.push(value.map_err(|failure| failure.into_error(pid))?);
        }
        Ok(())
    })?;
    Ok(values)
}
