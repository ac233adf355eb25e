use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::{error, fmt};

use crate::imap::IMap;
use crate::map;
use crate::panics::catch;
use crate::result::{AsyncResult, Promise, TaskError};
use crate::worker::{Shared, Worker};
use crate::{Error, Thread};

/// A few threads that do many tasks.
///
/// Unlike a pool of processes it sends nothing: a task is a closure, its argument and its value are
/// moved, at the price of a pointer. In return a crash (not a panic) ends everything, and a
/// task that never ends can't be ended.
///
/// Dropping it terminates it: what waits is dropped, what runs goes on to its end, and nobody waits
/// for that. See [`close`](ThreadPool::close).
#[derive(Debug)]
pub struct ThreadPool {
    shared: Arc<Shared>,
    threads: Vec<Thread<()>>,
}

/// Why there is no pool.
#[derive(Debug)]
#[non_exhaustive]
pub enum PoolError {
    /// A pool without workers would never do a task.
    NoWorkers,
    /// The system refused one of the threads. Those that had begun have ended.
    Thread(Error),
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PoolError::NoWorkers => {
                write!(f, "a pool of no workers would never do a task: ask for one at least")
            }
            PoolError::Thread(error) => write!(f, "can't start a pool: {error}"),
        }
    }
}

impl error::Error for PoolError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            PoolError::NoWorkers => None,
            PoolError::Thread(error) => Some(error),
        }
    }
}

impl ThreadPool {
    /// A pool of so many threads. [`std::thread::available_parallelism`] is a good number for tasks that
    /// compute; tasks that wait may be more.
    ///
    /// # Errors
    ///
    /// [`PoolError::NoWorkers`], [`PoolError::Thread`].
    pub fn new(workers: usize) -> Result<ThreadPool, PoolError> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        if workers == 0 {
            return Err(PoolError::NoWorkers);
        }
        let number = COUNT.fetch_add(1, Relaxed);
        let (shared, queues) = Shared::new(workers);
        let mut pool = ThreadPool { shared, threads: Vec::with_capacity(workers) };
        for (index, queue) in queues.into_iter().enumerate() {
            let shared = Arc::clone(&pool.shared);
            let mut thread = Thread::new(move || Worker::run(index, queue, shared))
                .name(format!("pool-{number}-{}", index + 1))
                .daemon(true);
            if let Err(error) = thread.start() {
                pool.terminate().join();
                return Err(PoolError::Thread(error));
            }
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// How many threads it has.
    pub fn workers(&self) -> usize {
        self.shared.workers()
    }

    /// Calls `task` in a worker, and waits for its value.
    ///
    /// # Errors
    ///
    /// The task's.
    pub fn apply<R: Send + 'static>(
        &self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, TaskError> {
        self.apply_async(task).get()
    }

    /// Has `task` called in a worker.
    pub fn apply_async<R: Send + 'static>(
        &self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> AsyncResult<R> {
        let (promise, result) = Promise::new();
        self.shared
            .submit(Box::new(move |_| promise.keep(catch(task).map_err(TaskError::from))));
        result
    }

    /// Calls `function` with each of `items`, in parallel, and waits for the results, which are in
    /// the order of the items.
    ///
    /// # Errors
    ///
    /// That of the first item, by its place, that failed. All items are done before it is told.
    pub fn map<T, R, F>(
        &self,
        function: F,
        items: impl IntoIterator<Item = T>,
    ) -> Result<Vec<R>, TaskError>
    where
        F: Fn(T) -> R + Send + Sync + 'static,
        T: Send + 'static,
        R: Send + 'static,
    {
        self.map_async(function, items).get()
    }

    /// As [`map`](ThreadPool::map), without waiting.
    pub fn map_async<T, R, F>(
        &self,
        function: F,
        items: impl IntoIterator<Item = T>,
    ) -> AsyncResult<Vec<R>>
    where
        F: Fn(T) -> R + Send + Sync + 'static,
        T: Send + 'static,
        R: Send + 'static,
    {
        let (task, result) = map::map(function, items.into_iter().collect(), 1);
        if let Some(task) = task {
            self.shared.submit(task);
        }
        result
    }

    /// Calls `function` with each of `items`, and gives the results one by one, in the order of the
    /// items.
    ///
    /// The input is taken lazily, a bounded number ahead of what was fetched.
    pub fn imap<T, R, F, I>(&self, function: F, items: I) -> IMap<'_, I::IntoIter, R, F>
    where
        F: Fn(T) -> R + Send + Sync + 'static,
        I: IntoIterator<Item = T>,
        T: Send + 'static,
        R: Send + 'static,
    {
        IMap::new(&self.shared, function, items.into_iter(), 1, true)
    }

    /// As [`imap`](ThreadPool::imap), each result as soon as it is there.
    pub fn imap_unordered<T, R, F, I>(&self, function: F, items: I) -> IMap<'_, I::IntoIter, R, F>
    where
        F: Fn(T) -> R + Send + Sync + 'static,
        I: IntoIterator<Item = T>,
        T: Send + 'static,
        R: Send + 'static,
    {
        IMap::new(&self.shared, function, items.into_iter(), 1, false)
    }

    /// No more tasks come: the workers end when those that were sent are done. To wait for that is
    /// [`Closed::join`].
    pub fn close(self) -> Closed {
        self.shared.close();
        self.ending()
    }

    /// No more tasks are begun: what waits is dropped, and who waits for its value is told
    /// [`TaskError::Terminated`].
    pub fn terminate(self) -> Closed {
        self.shared.terminate();
        self.ending()
    }

    fn ending(mut self) -> Closed {
        Closed { threads: std::mem::take(&mut self.threads), shared: Arc::clone(&self.shared) }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        // Unless it was closed: then its threads are somebody else's.
        if !self.threads.is_empty() {
            self.shared.terminate();
        }
    }
}

/// A pool that takes no more tasks.
///
/// Unlike a [`ThreadPool`], it can be joined; to join a pool that is open would be to wait for
/// ever, and is a type error here.
#[derive(Debug)]
pub struct Closed {
    shared: Arc<Shared>,
    threads: Vec<Thread<()>>,
}

impl Closed {
    /// Waits for the end of all workers.
    pub fn join(mut self) {
        for thread in &mut self.threads {
            // One that owns its own pool does not wait for itself.
            let _ = thread.join();
        }
    }

    /// Drops what still waits.
    pub fn terminate(self) -> Closed {
        self.shared.terminate();
        self
    }
}
