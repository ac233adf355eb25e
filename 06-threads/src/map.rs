use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::PoolError;
use crate::panics::catch;
use crate::result::Promise;
use crate::worker::{Task, Worker};

/// A row of items that one worker does, from the front, and that others take from, at the back.
///
/// Unlike the chunks of a process pool, which are cut before anybody works, it is cut in halves
/// while it is done, and only when somebody has nothing else to do. So a chunk size of 1 is cheap: a
/// million quick items are cut some dozen times. And still all that is not begun can be taken:
/// while the worker is busy with one long item, others do all the rest. (After Tzannes et al., Lazy
/// binary-splitting, PPoPP 2010, where what is cut off is not to be cut again by others.)
struct Row<T>(Mutex<Rest<T>>);

struct Rest<T> {
    /// The index of the first item that is left.
    next: usize,
    items: VecDeque<T>,
}

impl<T> Row<T> {
    fn rest(&self) -> MutexGuard<'_, Rest<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the next chunk to `hand`.
    fn take(&self, chunk: usize, hand: &mut VecDeque<T>) {
        let mut rest = self.rest();
        if chunk == 1 {
            hand.extend(rest.items.pop_front());
        } else {
            let count = chunk.min(rest.items.len());
            hand.extend(rest.items.drain(..count));
        }
        rest.next += hand.len();
    }

    /// Cuts off the second half, or a chunk if that is more, and says whether something is left.
    fn cut(&self, chunk: usize) -> Option<(Row<T>, bool)> {
        let mut rest = self.rest();
        let length = rest.items.len();
        let keep = length - length.div_ceil(2).max(chunk.min(length));
        let items = rest.items.split_off(keep);
        let cut = Rest { next: rest.next + keep, items };
        (length > 0).then(|| (Row(Mutex::new(cut)), keep > 0))
    }
}

/// What all rows of one map have in common. Each worker that does one is an owner.
struct Job<R, F> {
    function: F,
    chunk: usize,
    done: Mutex<Done<R>>,
}

struct Done<R> {
    /// Results by the index of their first item: each row's in one piece.
    parts: Vec<(usize, Vec<R>)>,
    /// The failed item with the lowest index.
    failed: Option<(usize, PoolError)>,
    /// How many items are not done yet.
    left: usize,
    promise: Promise<Vec<R>>,
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
    let done = Done { parts: Vec::new(), failed: None, left: items.len(), promise };
    let job = Arc::new(Job { function, chunk, done: Mutex::new(done) });
    let row = Row(Mutex::new(Rest { next: 0, items: items.into() }));
    Some(Box::new(|worker| do_row(row, job, worker)))
}

/// A worker at its row.
struct Run<'job, T, R, F> {
    job: &'job Job<R, F>,
    row: Arc<Row<T>>,
    /// What was taken from the row, and is not begun.
    hand: VecDeque<T>,
    begun: usize,
    results: Vec<R>,
}

/// Does a row, together with all who have nothing else to do.
fn do_row<T, R, F>(row: Row<T>, job: Arc<Job<R, F>>, worker: &Worker)
where
    F: Fn(T) -> R + Send + Sync + 'static,
    T: Send + 'static,
    R: Send + 'static,
{
    let rest = row.rest();
    let (start, length) = (rest.next, rest.items.len());
    drop(rest);
    let row = Arc::new(row);
    if length > job.chunk {
        invite(&row, &job, worker);
    }
    let (hand, results) = (VecDeque::new(), Vec::with_capacity(length));
    let mut run = Run { job: &job, row, hand, begun: 0, results };
    // Those after one that panics are done too: a map waits for all.
    let mut failed = None;
    while let Err(panic) = catch(|| run.work(worker)) {
        failed.get_or_insert((start + run.begun - 1, panic.into()));
    }
    let Run { begun, results, .. } = run;
    job.note(start, begun, results, failed);
    release(job);
}

/// Leaves an invitation to take part in a row, where others find it.
///
/// There is always one for a row in which something is left: who accepts it leaves another. When all
/// is done it is worth nothing, and holds nothing.
fn invite<T, R, F>(row: &Arc<Row<T>>, job: &Arc<Job<R, F>>, worker: &Worker)
where
    F: Fn(T) -> R + Send + Sync + 'static,
    T: Send + 'static,
    R: Send + 'static,
{
    let (row, job) = (Arc::downgrade(row), Arc::downgrade(job));
    worker.give(Box::new(move |worker| {
        // The job first: it can't be finished, then, between the cut and its work.
        let Some(job) = Weak::upgrade(&job) else { return };
        let cut = row.upgrade().and_then(|row| {
            let (cut, more) = row.cut(job.chunk)?;
            if more {
                invite(&row, &job, worker);
            }
            Some(cut)
        });
        match cut {
            Some(cut) => do_row(cut, job, worker),
            None => release(job),
        }
    }));
}

/// Whoever is the last to let go of the job sends its result.
fn release<R, F>(job: Arc<Job<R, F>>) {
    if let Some(job) = Arc::into_inner(job) {
        job.finish();
    }
}

impl<T, R, F: Fn(T) -> R> Run<'_, T, R, F> {
    fn work(&mut self, worker: &Worker) {
        // What a terminated pool has left undone is never counted, and so never complete.
        while !worker.is_to_end() {
            if self.hand.is_empty() {
                self.row.take(self.job.chunk, &mut self.hand);
            }
            let Some(item) = self.hand.pop_front() else { return };
            self.begun += 1;
            self.results.push((self.job.function)(item));
        }
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
