use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::panics::catch;
use crate::result::{AsyncResult, Promise};
use crate::worker::{Shared, Worker};
use crate::{Chunks, Imap, PoolError, Thread};

/// A few threads that do many tasks.
///
/// Unlike a pool of processes it sends nothing: a task is a closure, and its value is moved, at the
/// price of a pointer. In return a crash (not a panic) ends everything, and a task that never ends
/// can't be ended. Its methods take `&self`, so threads may share it, its own too.
///
/// Dropping it [terminates](ThreadPool::terminate) it.
#[derive(Debug)]
pub struct ThreadPool {
    pub(crate) shared: Arc<Shared>,
    threads: Vec<Thread<()>>,
}

impl ThreadPool {
    /// A pool of so many threads. [`std::thread::available_parallelism`] is a good number for tasks
    /// that compute; of tasks that wait there may be more.
    ///
    /// # Errors
    ///
    /// [`PoolError::NoThreads`] for zero; [`PoolError::Start`].
    pub fn new(threads: usize) -> Result<ThreadPool, PoolError> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        if threads == 0 {
            return Err(PoolError::NoThreads);
        }
        let number = COUNT.fetch_add(1, Relaxed);
        let (shared, queues) = Shared::new(threads);
        // Dropped at an error, it ends those that did start.
        let mut pool = ThreadPool { shared, threads: Vec::with_capacity(threads) };
        for (index, queue) in queues.into_iter().enumerate() {
            let shared = Arc::clone(&pool.shared);
            let mut thread = Thread::new(move || Worker::run(index, queue, shared))
                .name(format!("pool-{number}-{}", index + 1))
                .daemon(true);
            thread.start().map_err(|error| PoolError::Start { source: Arc::new(error) })?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Calls `task` in one of the threads, and waits for its value.
    ///
    /// # Errors
    ///
    /// [`PoolError::Panicked`].
    pub fn apply<R: Send + 'static>(
        &self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, PoolError> {
        self.apply_async(task).get()
    }

    /// As [`apply`](ThreadPool::apply), without waiting.
    pub fn apply_async<R: Send + 'static>(
        &self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> AsyncResult<R> {
        let (promise, result) = Promise::new();
        let task = move |_: &Worker| promise.keep(catch(task).map_err(PoolError::from));
        self.shared.submit(Box::new(task));
        result
    }

    /// At least so many tasks of a map stay together: see [`Chunks`], which has the same methods.
    pub fn chunk_size(&self, size: usize) -> Chunks<'_> {
        Chunks { pool: self, size }
    }

    /// Calls `function` with each input, in parallel, and gives the results in the order of the
    /// inputs. All tasks are done, whichever fail.
    ///
    /// # Errors
    ///
    /// The first task's that failed, in the order of the inputs.
    pub fn map<A, R, F>(
        &self,
        function: F,
        inputs: impl IntoIterator<Item = A>,
    ) -> Result<Vec<R>, PoolError>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        A: Send + 'static,
        R: Send + 'static,
    {
        self.chunk_size(1).map(function, inputs)
    }

    /// As [`map`](ThreadPool::map), without waiting.
    pub fn map_async<A, R, F>(
        &self,
        function: F,
        inputs: impl IntoIterator<Item = A>,
    ) -> AsyncResult<Vec<R>>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        A: Send + 'static,
        R: Send + 'static,
    {
        self.chunk_size(1).map_async(function, inputs)
    }

    /// The results one by one, in the order of the inputs, which may be endless: they are asked for
    /// as the results are, and a bounded number ahead.
    pub fn imap<A, R, F, I>(&self, function: F, inputs: I) -> Imap<'_, I::IntoIter, R, F>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        I: IntoIterator<Item = A>,
        A: Send + 'static,
        R: Send + 'static,
    {
        self.chunk_size(1).imap(function, inputs)
    }

    /// As [`imap`](ThreadPool::imap), each result as soon as it is there.
    pub fn imap_unordered<A, R, F, I>(&self, function: F, inputs: I) -> Imap<'_, I::IntoIter, R, F>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        I: IntoIterator<Item = A>,
        A: Send + 'static,
        R: Send + 'static,
    {
        self.chunk_size(1).imap_unordered(function, inputs)
    }

    /// No more tasks. Those that were submitted go on; [`join`](ClosedPool::join) waits for them.
    ///
    /// In Python, `join` before `close` is an error at run time, and so is a task after it. Here both
    /// don't compile:
    ///
    /// ```compile_fail,E0599
    /// let pool = threads::ThreadPool::new(1)?;
    /// pool.join();
    /// # Ok::<(), threads::PoolError>(())
    /// ```
    ///
    /// ```compile_fail,E0382
    /// let pool = threads::ThreadPool::new(1)?;
    /// pool.close().join();
    /// pool.apply(|| "late");
    /// # Ok::<(), threads::PoolError>(())
    /// ```
    pub fn close(self) -> ClosedPool {
        self.shared.close();
        ClosedPool { pool: self }
    }

    /// Drops what waits: that ends with [`PoolError::Terminated`]. What runs, runs to its end, as
    /// nobody can end a thread from outside; [`join`](ClosedPool::join) waits for it.
    pub fn terminate(self) -> ClosedPool {
        self.shared.terminate();
        ClosedPool { pool: self }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.shared.terminate();
    }
}

/// A pool that takes no more tasks.
///
/// Unlike a [`ThreadPool`], it can be waited for. Dropping it terminates it.
#[derive(Debug)]
pub struct ClosedPool {
    pool: ThreadPool,
}

impl ClosedPool {
    /// Waits until all tasks have come to their end, and the threads are gone.
    pub fn join(mut self) {
        for thread in &mut self.pool.threads {
            // A task that owns its own pool does not wait for itself.
            let _ = thread.join();
        }
    }

    /// Drops what still waits: see [`ThreadPool::terminate`].
    pub fn terminate(self) -> ClosedPool {
        self.pool.terminate()
    }
}
