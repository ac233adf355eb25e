use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Instant;

use crate::worker::Worker;

/// How often a waiting thread lets others run before it sleeps: a wake-up costs more than that.
const YIELDS: u32 = 16;

/// A state that some threads change and others wait for.
///
/// Unlike a mutex with a condition variable, it costs no system call to change it while nobody
/// waits, and a pool's worker that waits here does other tasks meanwhile.
#[derive(Debug)]
pub(crate) struct Watched<S>(Mutex<Inner<S>>);

#[derive(Debug)]
struct Inner<S> {
    state: S,
    waiting: Vec<Thread>,
}

impl<S> Watched<S> {
    pub(crate) fn new(state: S) -> Watched<S> {
        Watched(Mutex::new(Inner { state, waiting: Vec::new() }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the state, without waiting.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut S) -> T) -> T {
        look(&mut self.inner().state)
    }

    /// Changes the state, and wakes who waits for a change.
    pub(crate) fn change(&self, change: impl FnOnce(&mut S)) {
        let mut inner = self.inner();
        change(&mut inner.state);
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        waiting.iter().for_each(Thread::unpark);
    }

    /// Waits until `ready` gives something; `None` at the deadline.
    ///
    /// A worker that waits without a deadline does its pool's tasks meanwhile. With a deadline it
    /// does not: it could not give one up in the middle.
    pub(crate) fn wait<T>(
        &self,
        deadline: Option<Instant>,
        mut ready: impl FnMut(&mut S) -> Option<T>,
    ) -> Option<T> {
        let worker = if deadline.is_none() { Worker::current() } else { None };
        for _ in 0..if worker.is_none() { YIELDS } else { 0 } {
            if let Some(found) = self.look(&mut ready) {
                return Some(found);
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return None;
            }
            thread::yield_now();
        }
        loop {
            // The order matters: on the list before the look, or a change in between wakes nobody.
            let mut inner = self.inner();
            if let Some(found) = ready(&mut inner.state) {
                inner.waiting.retain(|thread| thread.id() != thread::current().id());
                return Some(found);
            }
            if !inner.waiting.iter().any(|thread| thread.id() == thread::current().id()) {
                inner.waiting.push(thread::current());
            }
            drop(inner);
            match (&worker, deadline) {
                (Some(worker), _) => worker.help(),
                (None, None) => thread::park(),
                (None, Some(deadline)) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        let mut inner = self.inner();
                        inner.waiting.retain(|thread| thread.id() != thread::current().id());
                        return ready(&mut inner.state);
                    }
                    thread::park_timeout(left);
                }
            }
        }
    }
}
