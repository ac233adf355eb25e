use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed, Ordering::SeqCst};
use std::{fmt, thread};

use crossbeam_deque::{Injector, Steal, Stealer, Worker as Queue};

use crate::sleep::Sleep;

/// What a worker does. It is told which one does it, so that it can leave a part of the task
/// where others find it.
pub(crate) type Task = Box<dyn FnOnce(&Worker) + Send>;

/// How often a worker looks for tasks, and lets others run, before it sleeps.
const ROUNDS: u32 = 16;

const OPEN: u8 = 0;
/// No more tasks come; what is there is done.
const CLOSED: u8 = 1;
/// Nothing more is begun.
const ENDED: u8 = 2;

/// What all workers of a pool, and its owner, have in common.
pub(crate) struct Shared {
    /// What comes from outside, in order.
    injector: Injector<Task>,
    /// The other end of each worker's own queue.
    stealers: Vec<Stealer<Task>>,
    sleep: Sleep,
    phase: AtomicU8,
}

impl Shared {
    /// For so many workers; and what each of them takes to its thread.
    pub(crate) fn new(workers: usize) -> (Arc<Shared>, Vec<Queue<Task>>) {
        let queues: Vec<_> = (0..workers).map(|_| Queue::new_fifo()).collect();
        let stealers = queues.iter().map(Queue::stealer).collect();
        let (injector, sleep, phase) = (Injector::new(), Sleep::new(), AtomicU8::new(OPEN));
        (Arc::new(Shared { injector, stealers, sleep, phase }), queues)
    }

    pub(crate) fn workers(&self) -> usize {
        self.stealers.len()
    }

    pub(crate) fn submit(&self, task: Task) {
        self.injector.push(task);
        self.sleep.wake_one();
    }

    pub(crate) fn close(&self) {
        let _ = self.phase.compare_exchange(OPEN, CLOSED, SeqCst, SeqCst);
        self.sleep.wake_all();
    }

    /// Drops what waits; what runs, runs to its end.
    pub(crate) fn terminate(&self) {
        self.phase.store(ENDED, SeqCst);
        self.sleep.wake_all();
        loop {
            match self.injector.steal() {
                Steal::Success(task) => contain(|| drop(task)),
                Steal::Empty => return,
                Steal::Retry => {}
            }
        }
    }

    fn has_ended(&self) -> bool {
        self.phase.load(Relaxed) == ENDED
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("workers", &self.workers()).finish_non_exhaustive()
    }
}

/// One thread of a pool, as it sees itself.
pub(crate) struct Worker {
    index: usize,
    /// Tasks that only this worker puts and anybody takes.
    queue: Queue<Task>,
    shared: Arc<Shared>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Worker>>> = const { RefCell::new(None) };
}

impl Worker {
    /// The worker that this thread is, if it is one.
    pub(crate) fn current() -> Option<Rc<Worker>> {
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// A worker's whole life.
    pub(crate) fn run(index: usize, queue: Queue<Task>, shared: Arc<Shared>) {
        let worker = Rc::new(Worker { index, queue, shared });
        CURRENT.set(Some(Rc::clone(&worker)));
        while let Some(task) = worker.next() {
            worker.perform(task);
        }
        // After `terminate`, something may be left.
        while let Some(task) = worker.queue.pop() {
            contain(|| drop(task));
        }
        CURRENT.set(None);
    }

    fn perform(&self, task: Task) {
        contain(|| if self.shared.has_ended() { drop(task) } else { task(self) });
    }

    /// Whether the pool was terminated: a long task looks here between its parts.
    pub(crate) fn is_to_end(&self) -> bool {
        self.shared.has_ended()
    }

    /// Leaves a task where others find it, and this worker too when it is done with its present one.
    pub(crate) fn give(&self, task: Task) {
        self.queue.push(task);
        self.shared.sleep.wake_one();
    }

    /// The next task; `None` when there will be none.
    fn next(&self) -> Option<Task> {
        loop {
            for _ in 0..ROUNDS {
                if self.shared.has_ended() {
                    return None;
                }
                if let Some(task) = self.find() {
                    return Some(task);
                }
                thread::yield_now();
            }
            // Before the last look: what was sent before the pool was closed is seen then.
            let closed = self.shared.phase.load(SeqCst) == CLOSED;
            self.shared.sleep.announce(self.index);
            if let Some(task) = self.find() {
                self.shared.sleep.cancel(self.index);
                return Some(task);
            }
            let idle = self.shared.sleep.settle(self.index);
            // New tasks come from outside, and that is closed, or from a worker that runs one, and
            // all are idle: this was the last to become it.
            if closed && idle == self.shared.workers() {
                self.shared.phase.store(ENDED, SeqCst);
            }
            if self.shared.has_ended() {
                self.shared.sleep.wake_all();
                return None;
            }
            self.shared.sleep.sleep(self.index);
        }
    }

    /// Does another task, or sleeps until there may be one, or until this thread is unparked for
    /// what it waits for.
    pub(crate) fn help(&self) {
        if let Some(task) = self.find() {
            return self.perform(task);
        }
        self.shared.sleep.announce(self.index);
        let found = self.find();
        if found.is_none() {
            thread::park();
        }
        self.shared.sleep.cancel(self.index);
        if let Some(task) = found {
            self.perform(task);
        }
    }

    /// A task from the own queue, from outside, or from another worker's queue.
    fn find(&self) -> Option<Task> {
        if let Some(task) = self.queue.pop() {
            return Some(task);
        }
        loop {
            match self.steal() {
                Steal::Success(task) => {
                    // It took more than one, and nobody could see those on their way from there to
                    // here: who looked in between has gone to sleep.
                    if !self.queue.is_empty() {
                        self.shared.sleep.wake_one();
                    }
                    return Some(task);
                }
                Steal::Empty => return None,
                Steal::Retry => {}
            }
        }
    }

    fn steal(&self) -> Steal<Task> {
        let Shared { injector, stealers, .. } = &*self.shared;
        injector.steal_batch_and_pop(&self.queue).or_else(|| {
            // Not everybody from the first.
            let (before, after) = stealers.split_at(self.index);
            let others = after.iter().skip(1).chain(before);
            others.map(|other| other.steal_batch_and_pop(&self.queue)).collect()
        })
    }
}

/// A panic gets no further, not that of a value that is dropped either.
fn contain(f: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(f));
}
