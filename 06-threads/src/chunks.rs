use crate::map;
use crate::result::Promise;
use crate::{AsyncResult, Imap, PoolError, ThreadPool};

/// A pool's mapping methods with a chunk size of your own.
///
/// Unlike the [`ThreadPool`]'s, which share out single tasks, these keep at least so many together.
/// For a process pool that saves messages. Here it saves nothing in `map`, and little in `imap`; it
/// may keep together what lies together in memory.
#[derive(Debug, Clone, Copy)]
pub struct Chunks<'p> {
    pub(crate) pool: &'p ThreadPool,
    pub(crate) size: usize,
}

impl<'p> Chunks<'p> {
    /// See [`ThreadPool::map`].
    ///
    /// # Errors
    ///
    /// The first task's that failed; [`PoolError::EmptyChunks`] at a chunk size of zero.
    pub fn map<A, R, F>(
        self,
        function: F,
        inputs: impl IntoIterator<Item = A>,
    ) -> Result<Vec<R>, PoolError>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        A: Send + 'static,
        R: Send + 'static,
    {
        self.map_async(function, inputs).get()
    }

    /// See [`ThreadPool::map_async`]. An error at once is an error of the result, too.
    pub fn map_async<A, R, F>(
        self,
        function: F,
        inputs: impl IntoIterator<Item = A>,
    ) -> AsyncResult<Vec<R>>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        A: Send + 'static,
        R: Send + 'static,
    {
        let (promise, result) = Promise::new();
        if self.size == 0 {
            promise.keep(Err(PoolError::EmptyChunks));
        } else if let Some(task) =
            map::task(function, inputs.into_iter().collect(), self.size, promise)
        {
            self.pool.shared.submit(task);
        }
        result
    }

    /// See [`ThreadPool::imap`].
    pub fn imap<A, R, F, I>(self, function: F, inputs: I) -> Imap<'p, I::IntoIter, R, F>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        I: IntoIterator<Item = A>,
        A: Send + 'static,
        R: Send + 'static,
    {
        Imap::new(self, function, inputs.into_iter(), true)
    }

    /// See [`ThreadPool::imap_unordered`].
    pub fn imap_unordered<A, R, F, I>(self, function: F, inputs: I) -> Imap<'p, I::IntoIter, R, F>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        I: IntoIterator<Item = A>,
        A: Send + 'static,
        R: Send + 'static,
    {
        Imap::new(self, function, inputs.into_iter(), false)
    }
}
