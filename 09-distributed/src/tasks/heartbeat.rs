use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::tasks::{Fence, Lease, QueueError, TaskQueue};

/// Makes leases last while their tasks are worked on, from a thread and a connection of its own.
///
/// A worker that is stopped stops beating, and loses its tasks. One that only hangs in its own code
/// does not: hence the limit, after which a task is on its own.
#[derive(Debug)]
pub struct Heartbeat {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Since when.
    held: HashMap<Fence, Instant>,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heartbeat {
    /// Beats through this queue: a third of its lease apart, and for each task no longer than `limit`.
    ///
    /// # Errors
    ///
    /// When the queue does not say how long its leases are.
    ///
    /// # Panics
    ///
    /// When there can be no further thread.
    pub fn start(
        mut queue: impl TaskQueue + 'static,
        limit: Duration,
    ) -> Result<Heartbeat, QueueError> {
        let pause = queue.stats()?.lease / 3;
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("heartbeat".into());
        let thread = thread.spawn(move || beat(&theirs, &mut queue, pause, limit));
        Ok(Heartbeat { shared, thread: Some(thread.expect("a thread can be started")) })
    }

    /// From now on, for these.
    pub fn hold<'a>(&self, leases: impl IntoIterator<Item = &'a Lease>) {
        let now = Instant::now();
        self.shared.lock().held.extend(leases.into_iter().map(|lease| (lease.fence(), now)));
    }

    /// No longer.
    pub fn release<'a>(&self, fences: impl IntoIterator<Item = &'a Fence>) {
        let mut state = self.shared.lock();
        for fence in fences {
            state.held.remove(fence);
        }
    }
}

fn beat(shared: &Shared, queue: &mut dyn TaskQueue, pause: Duration, limit: Duration) {
    let mut state = shared.lock();
    while !state.ended {
        let (next, _) =
            shared.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner);
        state = next;
        state.held.retain(|_, since| since.elapsed() < limit);
        let fences: Vec<Fence> = state.held.keys().cloned().collect();
        if !fences.is_empty() && !state.ended {
            // The worker goes on meanwhile.
            drop(state);
            // A beat that failed: the queue says so at `complete`, too.
            let _ = queue.extend(&fences);
            state = shared.lock();
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
