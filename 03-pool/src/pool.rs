use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use process::Target;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chunk::{self, Failure, Packer};
use crate::engine::Want;
use crate::job::{Callback, Job, Load, Part};
use crate::pump::Pump;
use crate::result::read_one;
use crate::{AsyncResult, Builder, Chunks, Error, Imap};

/// Some processes that run many tasks.
///
/// Unlike a [`process::Process`], which is one process for one call, a pool pays for its processes
/// once, and a task costs a message there and one back. Its methods take `&self`, so threads may
/// share it.
///
/// Dropping it [terminates](Pool::terminate) it, as leaving Python's `with Pool() as pool:` does.
pub struct Pool {
    pub(crate) pump: Arc<Pump>,
    pub(crate) processes: usize,
    pub(crate) helper: Option<JoinHandle<()>>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("processes", &self.processes).finish_non_exhaustive()
    }
}

/// Longer than a zygote takes to end its workers. One that is stopped is killed then.
const PATIENCE: Duration = Duration::from_secs(2);

impl Pool {
    /// A pool of so many worker processes.
    ///
    /// # Errors
    ///
    /// [`Error::NoProcesses`] for zero; [`Error::Start`], and then no process is left over.
    pub fn new(processes: usize) -> Result<Pool, Error> {
        Pool::builder().processes(processes).build()
    }

    /// A pool with more to say than its size.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Runs `function(args…)` in a worker and waits for its result. `args` is a tuple.
    ///
    /// # Errors
    ///
    /// [`Error`] says what became of the task instead.
    pub fn apply<F, Args>(&self, function: F, args: Args) -> Result<F::Output, Error>
    where
        F: Target<Args>,
        Args: Serialize + DeserializeOwned + 'static,
    {
        let (job, part) = self.one::<F, Args>(function, &args, None);
        self.submit_and_wait(&job, [part])?;
        read_one(&job)
    }

    /// As [`apply`](Pool::apply), without waiting.
    pub fn apply_async<F, Args>(&self, function: F, args: Args) -> AsyncResult<F::Output>
    where
        F: Target<Args>,
        Args: Serialize + DeserializeOwned + 'static,
    {
        let (job, part) = self.one::<F, Args>(function, &args, None);
        self.submit([part], false);
        self.result(job, read_one)
    }

    /// As [`apply_async`](Pool::apply_async); when the task has come to its end, the pool's own
    /// thread calls `callback` with the result or the error. Python has two callbacks for that.
    ///
    /// It is called exactly once, in any case. A long one keeps the others waiting.
    pub fn apply_async_with<F, Args>(
        &self,
        function: F,
        args: Args,
        callback: impl FnOnce(Result<F::Output, Error>) + Send + 'static,
    ) -> AsyncResult<F::Output>
    where
        F: Target<Args>,
        Args: Serialize + DeserializeOwned + 'static,
    {
        let callback: Callback = Box::new(|job| callback(read_one(job)));
        let (job, part) = self.one::<F, Args>(function, &args, Some(callback));
        self.submit([part], true);
        self.result(job, read_one)
    }

    /// So many tasks travel and are answered as one: see [`Chunks`], which has the same methods.
    pub fn chunk_size(&self, size: usize) -> Chunks<'_> {
        Chunks { pool: self, size: Some(size) }
    }

    /// Runs the function on each input, and gives the results in the order of the inputs.
    ///
    /// The inputs may be values or borrowed. They go in four chunks for each worker, as Python's do.
    /// All tasks are run, whichever fail.
    ///
    /// # Errors
    ///
    /// The first task's that failed, in the order of the inputs.
    pub fn map<A, F, I>(&self, function: F, inputs: I) -> Result<Vec<F::Output>, Error>
    where
        F: Target<(A,)>,
        A: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item: std::borrow::Borrow<A>>,
    {
        self.chunks().map(function, inputs)
    }

    /// As [`map`](Pool::map), without waiting.
    ///
    /// # Errors
    ///
    /// None at the default chunk size: what is wrong with a task comes from the result.
    pub fn map_async<A, F, I>(&self, function: F, inputs: I) -> AsyncResult<Vec<F::Output>>
    where
        F: Target<(A,)>,
        A: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item: std::borrow::Borrow<A>>,
    {
        self.chunks().map_async(function, inputs)
    }

    /// As [`map`](Pool::map), for a function of several arguments: each input is a tuple of them.
    ///
    /// # Errors
    ///
    /// As [`map`](Pool::map).
    pub fn starmap<Args, F, I>(&self, function: F, inputs: I) -> Result<Vec<F::Output>, Error>
    where
        F: Target<Args>,
        Args: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item = Args>,
    {
        self.chunks().starmap(function, inputs)
    }

    /// The results one by one, in the order of the inputs, which may be endless: they are asked for
    /// as the results are, and a bounded number ahead.
    pub fn imap<A, F, I>(&self, function: F, inputs: I) -> Imap<'_, I::IntoIter, F::Output>
    where
        F: Target<(A,)>,
        A: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item: std::borrow::Borrow<A>>,
    {
        self.chunk_size(1).imap(function, inputs)
    }

    /// As [`imap`](Pool::imap), each result as soon as it is there.
    pub fn imap_unordered<A, F, I>(
        &self,
        function: F,
        inputs: I,
    ) -> Imap<'_, I::IntoIter, F::Output>
    where
        F: Target<(A,)>,
        A: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item: std::borrow::Borrow<A>>,
    {
        self.chunk_size(1).imap_unordered(function, inputs)
    }

    /// No more tasks. Those that were submitted go on; [`join`](ClosedPool::join) waits for them.
    ///
    /// In Python, `join` before `close` is an error at run time, and so is a task after it. Here both
    /// don't compile:
    ///
    /// ```compile_fail,E0599
    /// let pool = pool::Pool::new(1)?;
    /// pool.join();
    /// # Ok::<(), pool::Error>(())
    /// ```
    ///
    /// ```compile_fail,E0382
    /// let pool = pool::Pool::new(1)?;
    /// pool.close().join();
    /// pool.apply(str::len, ("late",));
    /// # Ok::<(), pool::Error>(())
    /// ```
    pub fn close(self) -> ClosedPool {
        ClosedPool { pool: self }
    }

    /// Kills the workers at once. What was not done by then ends with [`Error::Terminated`].
    pub fn terminate(mut self) {
        self.end(false);
    }

    /// The pids of the workers that live now, for looking at them from outside.
    pub fn worker_pids(&self) -> Vec<i32> {
        if self.pump.refusal().is_some() {
            return Vec::new();
        }
        let mut engine = self.pump.lock();
        engine.hear();
        engine.bury();
        engine.slots.iter().map(|slot| slot.pid).filter(|&pid| pid != 0).collect()
    }

    /// The pid of the process that forks the workers, for looking at it from outside.
    pub fn zygote_pid(&self) -> Option<i32> {
        let refused = self.pump.refusal().is_some();
        if refused { None } else { self.pump.lock().zygote.as_ref()?.pid() }
    }

    pub(crate) fn chunks(&self) -> Chunks<'_> {
        Chunks { pool: self, size: None }
    }

    fn one<F, Args>(&self, function: F, args: &Args, callback: Option<Callback>) -> (Arc<Job>, Part)
    where
        F: Target<Args>,
        Args: Serialize + DeserializeOwned + 'static,
    {
        let job = Job::single(callback);
        let mut packer = Packer::default();
        // A small value has a small vector, and a large one takes over the last one's.
        let mut bytes =
            if size_of::<Args>() > 16 { self.pump.spare.take() } else { Vec::with_capacity(32) };
        packer.add(args, Failure::Arguments, &mut bytes);
        packer.close(&mut bytes);
        (job.clone(), self.single(job, chunk::entry(function), bytes))
    }

    /// The one part of a job.
    pub(crate) fn single(&self, job: Arc<Job>, entry: [u8; 16], bytes: Vec<u8>) -> Part {
        let range = 0..bytes.len();
        let load = Arc::new(Load { job, entry, bytes, spare: self.pump.spare.clone() });
        Part { load, number: 0, range, deaths: 0 }
    }

    pub(crate) fn submit(&self, parts: impl IntoIterator<Item = Part>, eager: bool) {
        if let Some(error) = self.pump.refusal() {
            return refuse(parts, &error);
        }
        let mut engine = self.pump.lock();
        engine.submit(parts, eager);
        if engine.leader == crate::engine::Leader::Nobody {
            engine.call_helper();
        }
    }

    /// Without letting go of the lock in between, so that no other thread becomes the leader.
    pub(crate) fn submit_and_wait(
        &self,
        job: &Arc<Job>,
        parts: impl IntoIterator<Item = Part>,
    ) -> Result<(), Error> {
        if let Some(error) = self.pump.refusal() {
            return Err(error);
        }
        let mut engine = self.pump.lock();
        engine.submit(parts, false);
        let done = self.pump.wait_with(engine, Want::Job(job), None);
        if done { Ok(()) } else { Err(Error::Broken) }
    }

    /// Submits while the caller has more to submit, and does the pool's work meanwhile.
    pub(crate) fn submit_some(&self, parts: impl IntoIterator<Item = Part>, patient: bool) {
        if !patient || self.pump.refusal().is_some() {
            return self.submit(parts, false);
        }
        let mut engine = self.pump.lock();
        engine.submit(parts, false);
        engine.turn();
    }

    pub(crate) fn wait(&self, want: Want<'_>) -> Result<(), Error> {
        if let Some(error) = self.pump.refusal() {
            return Err(error);
        }
        if self.pump.wait(want, None) { Ok(()) } else { Err(Error::Broken) }
    }

    pub(crate) fn result<T>(
        &self,
        job: Arc<Job>,
        read: fn(&Job) -> Result<T, Error>,
    ) -> AsyncResult<T> {
        AsyncResult { job, pump: self.pump.clone(), read, value: PhantomData }
    }

    fn end(&mut self, wait: bool) {
        if matches!(self.pump.refusal(), Some(Error::NotOurs)) {
            return; // a forked child's copy: nothing of it is here
        }
        let mut engine = self.pump.lock();
        engine.over = true;
        for slot in &mut engine.slots {
            if wait { slot.close() } else { slot.kill() }
        }
        if !self.pump.is_broken() {
            engine.fail_all(&Error::Terminated);
        }
        engine.nudge();
        let (zygote, slots) = (engine.zygote.take(), std::mem::take(&mut engine.slots));
        drop(engine);
        if let Some(zygote) = zygote {
            zygote.end(PATIENCE);
        }
        // Their tethers go after their ends.
        drop(slots);
        if let Some(helper) = self.helper.take() {
            helper.thread().unpark();
            // A callback may own the pool: then this is the helper, and it ends after us.
            if helper.thread().id() != thread::current().id() {
                let _ = helper.join();
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.helper.is_some() {
            self.end(false);
        }
    }
}

/// A pool that takes no more tasks.
///
/// Unlike a [`Pool`], it can be waited for. Dropping it terminates it.
#[derive(Debug)]
pub struct ClosedPool {
    pool: Pool,
}

impl ClosedPool {
    /// Waits until all tasks have come to their end, all callbacks were called, and the workers are
    /// gone.
    pub fn join(mut self) {
        let _ = self.pool.wait(Want::All);
        self.pool.end(true);
    }

    /// Kills the workers at once. What was not done by then ends with [`Error::Terminated`].
    pub fn terminate(self) {
        self.pool.terminate();
    }
}

fn refuse(parts: impl IntoIterator<Item = Part>, error: &Error) {
    for part in parts {
        part.load.job.settle(part.number, Err(error.clone()));
    }
}
