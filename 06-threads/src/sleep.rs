use std::sync::atomic::{AtomicUsize, Ordering::SeqCst, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

/// Who of a pool sleeps, and who is to be woken.
///
/// The danger is the lost wake-up: a worker looks for tasks and finds none, a task arrives and its
/// sender sees nobody asleep, and then the worker falls asleep. So a worker first says that it
/// will sleep and *then* looks once more; a sender first puts the task and *then* looks for sleepers.
/// Whichever of the two comes second sees the first. (Each has written one thing and reads the
/// other's: that takes a fence that all threads see in one order, `SeqCst`.)
#[derive(Debug)]
pub(crate) struct Sleep {
    /// The length of `sleepers`, for senders to read without the lock: usually nobody sleeps.
    count: AtomicUsize,
    sleepers: Mutex<Vec<Sleeper>>,
}

#[derive(Debug)]
struct Sleeper {
    worker: usize,
    thread: Thread,
    /// Has looked everywhere since it is on the list, and has nothing to do; unlike one that
    /// sleeps in the middle of a task, until another one is done.
    idle: bool,
}

impl Sleep {
    pub(crate) fn new() -> Sleep {
        Sleep { count: AtomicUsize::new(0), sleepers: Mutex::new(Vec::new()) }
    }

    fn sleepers(&self) -> MutexGuard<'_, Vec<Sleeper>> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the calling worker on the list. It must look for tasks once more before it sleeps.
    pub(crate) fn announce(&self, worker: usize) {
        let mut sleepers = self.sleepers();
        sleepers.push(Sleeper { worker, thread: thread::current(), idle: false });
        self.count.store(sleepers.len(), SeqCst);
        drop(sleepers);
        fence(SeqCst);
    }

    /// Notes that the calling worker has looked once more, in vain, and says how many are idle now.
    pub(crate) fn settle(&self, worker: usize) -> usize {
        let mut sleepers = self.sleepers();
        // It is not listed if it is being woken: then there is something to do.
        if let Some(sleeper) = sleepers.iter_mut().find(|sleeper| sleeper.worker == worker) {
            sleeper.idle = true;
        }
        sleepers.iter().filter(|sleeper| sleeper.idle).count()
    }

    /// Sleeps until somebody takes this worker off the list.
    pub(crate) fn sleep(&self, worker: usize) {
        while self.lists(worker) {
            thread::park();
        }
    }

    fn lists(&self, worker: usize) -> bool {
        self.sleepers().iter().any(|sleeper| sleeper.worker == worker)
    }

    /// Takes the calling worker off the list, as it has found something to do by itself.
    pub(crate) fn cancel(&self, worker: usize) {
        let mut sleepers = self.sleepers();
        let listed = sleepers.iter().position(|sleeper| sleeper.worker == worker);
        if let Some(index) = listed {
            sleepers.remove(index);
            self.count.store(sleepers.len(), SeqCst);
        }
        drop(sleepers);
        if listed.is_none() {
            // It was being woken for a task, and may have found another one: then that task is
            // somebody else's.
            self.wake_one();
        }
    }

    /// Wakes one worker, if one sleeps: there is something new to do.
    pub(crate) fn wake_one(&self) {
        fence(SeqCst);
        if self.count.load(SeqCst) == 0 {
            return;
        }
        let mut sleepers = self.sleepers();
        // The one that fell asleep last has the warmest cache. It is off the list before it runs:
        // who sends the next task meanwhile wakes another.
        let last = sleepers.pop();
        self.count.store(sleepers.len(), SeqCst);
        drop(sleepers);
        if let Some(sleeper) = last {
            sleeper.thread.unpark();
        }
    }

    /// Wakes all: the pool is ending.
    pub(crate) fn wake_all(&self) {
        let sleepers = std::mem::take(&mut *self.sleepers());
        self.count.store(0, SeqCst);
        sleepers.iter().for_each(|sleeper| sleeper.thread.unpark());
    }
}
