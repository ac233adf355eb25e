use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::futex::{
    Futex, after,
    atomic::{
        AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
    constant,
};
use crate::{Mutex, MutexGuard};

const WAITING: u32 = 0;
const NOTIFIED: u32 = 1;

/// **Step 4**: waiting until what a [`Mutex`] guards has changed.
///
/// Unlike an [`Event`](crate::Event), which remembers that something has happened, it remembers
/// nothing: what has happened stands in the data, under the mutex, and `notify` only says "look
/// again". Unlike a [`std::sync::Condvar`] it keeps Python's promise: `notify(n)` wakes exactly `n`
/// threads, those that have waited longest, and no wait ends without a reason. For that each waiter
/// stands in a queue with a futex of its own; if all slept on one word, one who is on the way to
/// sleep could not be told from one who sleeps.
///
/// ```
/// use lock::{Condvar, Mutex};
///
/// let (basket, filled) = (Mutex::new(Vec::new()), Condvar::new());
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         basket.lock().push("apple");
///         filled.notify(1);
///     });
///     let mut basket = basket.lock();
///     filled.wait_for(&mut basket, |basket| !basket.is_empty());
///     assert_eq!(basket.pop(), Some("apple"));
/// });
/// ```
///
/// It goes with the [`Mutex`] only: to come back from a wait with a [`Lock`](crate::Lock) that was
/// poisoned meanwhile would be to hand out what the poison is to keep back.
#[derive(Debug, Default)]
pub struct Condvar {
    queue: Mutex<VecDeque<Arc<Futex>>>,
    /// The queue's length, so that a `notify` that nobody waits for does no more than look. It is
    /// up to date for everyone who takes the waiters' mutex before.
    waiting: AtomicUsize,
}

impl Condvar {
    constant! {
        /// A condition that nobody waits for.
        pub fn new() -> Condvar {
            Condvar { queue: Mutex::new(VecDeque::new()), waiting: AtomicUsize::new(0) }
        }
    }

    /// Opens the mutex, sleeps until it is notified, and takes the mutex again.
    ///
    /// The condition may have been undone again by then, by someone who was faster: mostly
    /// [`wait_for`](Condvar::wait_for) is what you want.
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        self.wait_until(guard, None);
    }

    /// As [`wait`](Condvar::wait), at most for `timeout`; whether it was notified. Taking the mutex
    /// again has no timeout.
    #[must_use = "it may have been the timeout that ended the wait"]
    pub fn wait_timeout<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        timeout: Duration,
    ) -> bool {
        self.wait_until(guard, after(timeout))
    }

    /// Waits until `condition` holds. It is asked under the mutex: before the first wait, and after
    /// each.
    pub fn wait_for<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) {
        while !condition(guard) {
            self.wait(guard);
        }
    }

    /// As [`wait_for`](Condvar::wait_for), at most for `timeout` in all; whether `condition` holds
    /// at the end.
    #[must_use = "it may have been the timeout that ended the wait"]
    pub fn wait_for_timeout<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        timeout: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> bool {
        let deadline = after(timeout);
        loop {
            if condition(guard) {
                return true;
            }
            if !self.wait_until(guard, deadline) {
                return condition(guard);
            }
        }
    }

    fn wait_until<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        deadline: Option<Instant>,
    ) -> bool {
        let me = Arc::new(Futex::new(WAITING));
        {
            let mut queue = self.queue.lock();
            queue.push_back(Arc::clone(&me));
            self.waiting.store(queue.len(), Relaxed);
        }
        // In the queue before the mutex is open: whoever changes the condition next will find us.
        guard.unlocked(|| {
            while me.load(Acquire) == WAITING {
                if !me.wait(WAITING, deadline) {
                    return !self.leave(&me);
                }
            }
            true
        })
    }

    fn wake_first(&self) -> bool {
        let first = {
            let mut queue = self.queue.lock();
            let first = queue.pop_front();
            self.waiting.store(queue.len(), Relaxed);
            first
        };
        // Outside of the queue's lock, so that the woken thread doesn't run into it.
        first.is_some_and(|waiter| {
            waiter.store(NOTIFIED, Release);
            waiter.wake(1);
            true
        })
    }

    /// Takes a waiter off the queue; `false` if it was notified just before.
    fn leave(&self, waiter: &Arc<Futex>) -> bool {
        let mut queue = self.queue.lock();
        let place = queue.iter().position(|other| Arc::ptr_eq(other, waiter));
        place.map(|place| queue.remove(place));
        self.waiting.store(queue.len(), Relaxed);
        place.is_some()
    }

    /// Wakes the `n` threads that have waited longest, or all if there are fewer; how many it
    /// were.
    ///
    /// Change the condition under the mutex; whether you still hold it now is your choice. If
    /// not, the woken thread needn't wait for you.
    #[inline]
    pub fn notify(&self, n: usize) -> usize {
        match self.waiting.load(Relaxed) {
            0 => 0,
            waiting => (0..n.min(waiting)).take_while(|_| self.wake_first()).count(),
        }
    }

    /// Wakes all that wait now; how many it were.
    pub fn notify_all(&self) -> usize {
        self.notify(usize::MAX)
    }
}
