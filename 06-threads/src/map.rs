use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::PoolError;
use crate::panics::catch;
use crate::result::Promise;
use crate::worker::{Task, Worker};

/// What all pieces of one map have in common.
struct Job<R, F> {
    function: F,
    chunk: usize,
    done: Mutex<Done<R>>,
}

struct Done<R> {
    /// Results by the index of their first item: each worker's in a row.
    parts: Vec<(usize, Vec<R>)>,
    /// The failed item with the lowest index.
    failed: Option<(usize, PoolError)>,
    /// How many items are not done yet.
    left: usize,
    promise: Promise<Vec<R>>,
}

/// A row of items that one worker does.
///
/// Unlike the chunks of a process pool, which are cut before anybody works, it is cut in halves
/// while it is done, and only when somebody needs one: whenever the worker's queue is empty,
/// because others have taken what was in there, half of what is left goes there. So a chunk size
/// of 1 costs nothing but looks: a million items that two workers share are cut some forty times.
/// (Tzannes et al., Lazy binary-splitting, PPoPP 2010.)
struct Piece<T, R, F> {
    job: Arc<Job<R, F>>,
    /// The index of the first item.
    start: usize,
    /// How many are taken out of `items`.
    taken: usize,
    items: VecDeque<T>,
}

/// The task that maps `function` over `items`; none, and the promise kept, without an item.
pub(crate) fn task<T, R, F>(
    function: F,
    items: Vec<T>,
    chunk: usize,
    promise: Promise<Vec<R>>,
) -> Option<Task>
where
    F: Fn(T) -> R + Send + Sync + 'static,
    T: Send + 'static,
    R: Send + 'static,
{
    if items.is_empty() {
        promise.keep(Ok(Vec::new()));
        return None;
    }
    let (parts, left) = (Vec::new(), items.len());
    let done = Mutex::new(Done { parts, failed: None, left, promise });
    let job = Arc::new(Job { function, chunk, done });
    let piece = Piece { job, start: 0, taken: 0, items: items.into() };
    Some(Box::new(|worker| piece.run(worker)))
}

impl<T, R, F> Piece<T, R, F>
where
    F: Fn(T) -> R + Send + Sync + 'static,
    T: Send + 'static,
    R: Send + 'static,
{
    fn run(mut self, worker: &Worker) {
        let mut results = Vec::with_capacity(self.items.len());
        // Those after one that panics are done too: a map waits for all.
        let mut failed = None;
        while let Err(panic) = catch(|| self.work(worker, &mut results)) {
            failed.get_or_insert((self.start + self.taken - 1, panic.into()));
        }
        self.job.note(self.start, self.taken, results, failed);
        // Whoever is the last to let go of the job sends its result.
        if let Some(job) = Arc::into_inner(self.job) {
            job.finish();
        }
    }

    fn work(&mut self, worker: &Worker, results: &mut Vec<R>) {
        let chunk = self.job.chunk;
        while !self.items.is_empty() && !worker.is_to_end() {
            if self.items.len() / 2 >= chunk && worker.has_nothing_to_give() {
                self.give_half(worker);
            }
            for _ in 0..chunk {
                let Some(item) = self.items.pop_front() else { return };
                self.taken += 1;
                results.push((self.job.function)(item));
            }
        }
    }

    fn give_half(&mut self, worker: &Worker) {
        let keep = self.items.len() / 2;
        let start = self.start + self.taken + keep;
        let items = self.items.split_off(keep);
        let half = Piece { job: Arc::clone(&self.job), start, taken: 0, items };
        worker.give(Box::new(|worker| half.run(worker)));
    }
}

impl<R, F> Job<R, F> {
    fn note(
        &self,
        start: usize,
        count: usize,
        results: Vec<R>,
        failed: Option<(usize, PoolError)>,
    ) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.parts.push((start, results));
        done.left -= count;
        let earlier = |(index, _): &(usize, _)| done.failed.as_ref().is_none_or(|it| *index < it.0);
        if failed.as_ref().is_some_and(earlier) {
            done.failed = failed;
        }
    }

    fn finish(self) {
        // Before anybody hears of the result: what it owns is free then.
        drop(self.function);
        let done = self.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Of a terminated pool's map something is left, and its promise is dropped.
        if done.left == 0 {
            done.promise.keep(match done.failed {
                Some((_, error)) => Err(error),
                None => Ok(in_order(done.parts)),
            });
        }
    }
}

fn in_order<R>(mut parts: Vec<(usize, Vec<R>)>) -> Vec<R> {
    parts.sort_unstable_by_key(|(start, _)| *start);
    let mut parts = parts.into_iter().map(|(_, results)| results);
    // The first has room for all: it began with all items before it.
    let mut all = parts.next().unwrap_or_default();
    parts.for_each(|mut part| all.append(&mut part));
    all
}
