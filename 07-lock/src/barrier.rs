use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Mutex;
use crate::futex::{
    Futex, after,
    atomic::Ordering::{Acquire, Relaxed, Release},
};

/// Not all are there yet.
const OPEN: u32 = 0;
const PASSED: u32 = 1;
const BROKEN: u32 = 2;

/// **Step 8**: all wait for the last one.
///
/// Unlike a [`std::sync::Barrier`], whose threads wait for ever for one that died, it can break: a
/// timeout, an [`abort`](Barrier::abort), a [`reset`](Barrier::reset) or a panic in the action ends
/// the wait of all, as an error. And each thread of a round gets a number of its own, from 0 up,
/// instead of a single leader.
///
/// ```
/// let barrier = lock::Barrier::new(3);
/// std::thread::scope(|scope| {
///     let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| barrier.wait().unwrap())).collect();
///     let mut places: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
///     places.sort();
///     assert_eq!(places, [0, 1, 2]);
/// });
/// ```
#[derive(Debug)]
pub struct Barrier {
    parties: usize,
    state: Mutex<State>,
}

struct State {
    /// Broken for all who come, until a reset.
    broken: bool,
    /// How many are waiting in this round.
    waiting: usize,
    /// How this round ended. A new one for each round: whoever is slow to wake still reads that of
    /// theirs, while others may be rounds ahead.
    round: Arc<Futex>,
    action: Option<Box<dyn FnMut() + Send>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State { broken, waiting, .. } = self;
        write!(f, "{waiting} waiting{}", if *broken { ", broken" } else { "" })
    }
}

impl State {
    /// Ends the round, and begins another one.
    fn end(&mut self, how: u32) {
        self.waiting = 0;
        let round = std::mem::replace(&mut self.round, Arc::new(Futex::new(OPEN)));
        round.store(how, Release);
        round.wake(u32::MAX);
    }
}

impl Barrier {
    /// A barrier for so many threads.
    ///
    /// # Panics
    ///
    /// For none: nobody could be the last one.
    pub fn new(parties: usize) -> Barrier {
        Barrier::build(parties, None)
    }

    /// A barrier whose last thread calls `action` in each round, before anyone is let go.
    ///
    /// The barrier is locked meanwhile: an action that uses it waits for itself.
    ///
    /// # Panics
    ///
    /// For no threads.
    pub fn with_action(parties: usize, action: impl FnMut() + Send + 'static) -> Barrier {
        Barrier::build(parties, Some(Box::new(action)))
    }

    fn build(parties: usize, action: Option<Box<dyn FnMut() + Send>>) -> Barrier {
        assert!(parties > 0, "a barrier for no threads: nobody could be the last one");
        let round = Arc::new(Futex::new(OPEN));
        let state = State { broken: false, waiting: 0, round, action };
        Barrier { parties, state: Mutex::new(state) }
    }

    /// Waits until all are there; this thread's place in the round, from 0 up, given to nobody
    /// else. Who has place 0 is as good a leader as any.
    ///
    /// # Errors
    ///
    /// [`BrokenBarrier`] if it was broken before or breaks meanwhile.
    ///
    /// # Panics
    ///
    /// When the action panics: in the thread that ran it. For the others the barrier is broken.
    pub fn wait(&self) -> Result<usize, BrokenBarrier> {
        self.wait_until(None)
    }

    /// As [`wait`](Barrier::wait), at most for `timeout`. A timeout breaks the barrier for all: a
    /// round that one has left can't be completed.
    ///
    /// # Errors
    ///
    /// [`BrokenBarrier`], also if it was this timeout that broke it.
    ///
    /// # Panics
    ///
    /// As [`wait`](Barrier::wait).
    pub fn wait_timeout(&self, timeout: Duration) -> Result<usize, BrokenBarrier> {
        self.wait_until(after(timeout))
    }

    fn wait_until(&self, deadline: Option<Instant>) -> Result<usize, BrokenBarrier> {
        let (round, place) = {
            let mut state = self.state.lock();
            if state.broken {
                return Err(BrokenBarrier);
            }
            let place = state.waiting;
            state.waiting += 1;
            if state.waiting == self.parties {
                Completion { state: &mut state, how: BROKEN }.complete();
                return Ok(place);
            }
            (Arc::clone(&state.round), place)
        };
        while round.load(Acquire) == OPEN {
            if !round.wait(OPEN, deadline) {
                let mut state = self.state.lock();
                // Under the lock nobody can complete it any more, if nobody has.
                if round.load(Relaxed) == OPEN {
                    state.broken = true;
                    state.end(BROKEN);
                }
            }
        }
        if round.load(Acquire) == PASSED { Ok(place) } else { Err(BrokenBarrier) }
    }

    /// Breaks it, for those who wait and for all who come, until a [`reset`](Barrier::reset): for a
    /// thread that can't take part any more.
    pub fn abort(&self) {
        let mut state = self.state.lock();
        state.broken = true;
        state.end(BROKEN);
    }

    /// Makes it whole and empty. Those who wait get an error, since their round will never be
    /// complete.
    pub fn reset(&self) {
        let mut state = self.state.lock();
        state.broken = false;
        state.end(BROKEN);
    }

    /// How many threads it takes.
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// How many wait in it now.
    pub fn waiting(&self) -> usize {
        self.state.lock().waiting
    }

    /// Whether it is broken.
    pub fn is_broken(&self) -> bool {
        self.state.lock().broken
    }
}

/// The end of a round by its last thread: broken, if the action panics on the way.
struct Completion<'a> {
    state: &'a mut State,
    how: u32,
}

impl Completion<'_> {
    fn complete(mut self) {
        if let Some(action) = &mut self.state.action {
            action();
        }
        self.how = PASSED;
    }
}

impl Drop for Completion<'_> {
    fn drop(&mut self) {
        self.state.broken = self.how == BROKEN;
        self.state.end(self.how);
    }
}

/// A [`Barrier`] that not all will reach: a thread gave up, or somebody aborted or reset it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenBarrier;

impl fmt::Display for BrokenBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the barrier is broken: a thread waited longer than it wanted to, its action panicked, or \
             somebody aborted or reset it; `reset` makes it whole",
        )
    }
}

impl std::error::Error for BrokenBarrier {}
