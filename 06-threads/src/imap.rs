use std::any::Any;
use std::collections::BTreeMap;
use std::iter::FusedIterator;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::{fmt, vec};

use crate::panics::catch;
use crate::watched::Watched;
use crate::{Chunks, PoolError};

/// Chunks that are with the workers or wait to be fetched, for each worker.
const AHEAD: usize = 16;

type Chunk<R> = Vec<Result<R, PoolError>>;

/// The results of [`imap`](crate::ThreadPool::imap) and
/// [`imap_unordered`](crate::ThreadPool::imap_unordered), one by one.
///
/// Unlike a map, which wants all of its input first, it takes from its input what the workers need
/// next and no more: the input may be endless.
pub struct Imap<'pool, I: Iterator, R, F> {
    chunks: Chunks<'pool>,
    function: Arc<F>,
    input: I,
    ordered: bool,
    /// Results by the number of their chunk.
    done: Arc<Watched<BTreeMap<usize, Chunk<R>>>>,
    /// Chunks sent, and chunks fetched.
    sent: usize,
    fetched: usize,
    current: vec::IntoIter<Result<R, PoolError>>,
    input_ended: bool,
    /// The input's panic: it goes on when what came before it is delivered.
    panic: Option<Box<dyn Any + Send>>,
}

impl<'pool, I, R, F> Imap<'pool, I, R, F>
where
    I: Iterator,
{
    pub(crate) fn new(chunks: Chunks<'pool>, function: F, input: I, ordered: bool) -> Self {
        let refused = (chunks.size == 0).then_some(Err(PoolError::EmptyChunks));
        Imap {
            chunks,
            function: Arc::new(function),
            input,
            ordered,
            done: Arc::new(Watched::new(BTreeMap::new())),
            sent: 0,
            fetched: 0,
            current: Vec::from_iter(refused).into_iter(),
            input_ended: chunks.size == 0,
            panic: None,
        }
    }
}

impl<I, R, F> Imap<'_, I, R, F>
where
    F: Fn(I::Item) -> R + Send + Sync + 'static,
    I: Iterator,
    I::Item: Send + 'static,
    R: Send + 'static,
{
    /// Keeps the workers busy, a bounded number of chunks ahead of who fetches.
    fn send(&mut self) {
        let (pool, chunk) = (&self.chunks.pool.shared, self.chunks.size);
        while !self.input_ended && self.sent - self.fetched < AHEAD * pool.workers() {
            let mut items = Vec::with_capacity(chunk);
            let pulled = catch_unwind(AssertUnwindSafe(|| {
                items.extend(self.input.by_ref().take(chunk));
            }));
            self.input_ended = items.len() < chunk;
            self.panic = pulled.err();
            if items.is_empty() {
                return;
            }
            let function = Arc::clone(&self.function);
            let out = Out { number: self.sent, done: Arc::clone(&self.done), results: None };
            pool.submit(Box::new(move |_| {
                let each = |item| catch(|| function(item)).map_err(PoolError::from);
                let results = items.into_iter().map(each).collect();
                // Before anybody hears of the results: what it owns may be free then.
                drop(function);
                out.send(results);
            }));
            self.sent += 1;
        }
    }
}

impl<I, R, F> Iterator for Imap<'_, I, R, F>
where
    F: Fn(I::Item) -> R + Send + Sync + 'static,
    I: Iterator,
    I::Item: Send + 'static,
    R: Send + 'static,
{
    type Item = Result<R, PoolError>;

    /// # Panics
    ///
    /// As the input does, after the results of what came before.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(result) = self.current.next() {
                return Some(result);
            }
            self.send();
            if self.fetched == self.sent {
                return self.panic.take().and_then(|panic| resume_unwind(panic));
            }
            let (ordered, next) = (self.ordered, self.fetched);
            let fetched = self.done.wait(None, |done| {
                if ordered { done.remove(&next) } else { done.pop_first().map(|(_, it)| it) }
            });
            self.fetched += 1;
            self.current = fetched.unwrap_or_default().into_iter();
        }
    }
}

impl<I, R, F> FusedIterator for Imap<'_, I, R, F>
where
    F: Fn(I::Item) -> R + Send + Sync + 'static,
    I: Iterator,
    I::Item: Send + 'static,
    R: Send + 'static,
{
}

impl<I: Iterator, R, F> fmt::Debug for Imap<'_, I, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imap")
            .field("sent", &self.sent)
            .field("fetched", &self.fetched)
            .finish_non_exhaustive()
    }
}

/// Where a chunk's results go, when they are there or when it was dropped.
struct Out<R> {
    number: usize,
    done: Arc<Watched<BTreeMap<usize, Chunk<R>>>>,
    results: Option<Chunk<R>>,
}

impl<R> Out<R> {
    fn send(mut self, results: Chunk<R>) {
        self.results = Some(results);
    }
}

impl<R> Drop for Out<R> {
    fn drop(&mut self) {
        let results = self.results.take().unwrap_or_else(|| vec![Err(PoolError::Terminated)]);
        self.done.change(|done| drop(done.insert(self.number, results)));
    }
}
