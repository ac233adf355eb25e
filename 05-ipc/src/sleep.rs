use std::cell::Cell;
use std::hint::spin_loop;
use std::os::fd::BorrowedFd;
use std::thread::yield_now;
use std::time::{Duration, Instant};

use nix::poll::PollFlags;

use crate::bell::Bell;
use crate::ready::seen;

/// How long to wait, and while who lives.
///
/// Unlike a bare timeout, it may name a process: when that one has ended and nothing is there to be
/// had, the wait ends too. Every `…_within` takes a `Wait`, or a [`Duration`] in its place.
///
/// ```
/// use std::time::Duration;
/// use ipc::{Queue, RecvError, Wait};
///
/// let queue = Queue::<u64>::new(16)?;
/// let child = fork::fork(|| i32::from(queue.put(&42).is_err()))?;
/// let wait = Wait::at_most(Duration::from_secs(10)).while_alive(child.sentinel()?);
/// assert_eq!(queue.get_within(wait)?, 42);
/// assert!(matches!(queue.get_within(wait), Err(RecvError::PeerEnded)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Wait<'a> {
    pub(crate) deadline: Option<Instant>,
    pub(crate) peer: Option<BorrowedFd<'a>>,
}

impl<'a> Wait<'a> {
    /// No limit.
    pub const fn forever() -> Wait<'a> {
        Wait { deadline: None, peer: None }
    }

    /// So long from now on; zero looks, and does not wait.
    pub fn at_most(timeout: Duration) -> Wait<'a> {
        // What can't be counted is for ever.
        Wait { deadline: Instant::now().checked_add(timeout), peer: None }
    }

    /// Only until the process ends whose sentinel this is: a descriptor that becomes readable then.
    #[must_use]
    pub fn while_alive(self, sentinel: BorrowedFd<'a>) -> Wait<'a> {
        Wait { peer: Some(sentinel), ..self }
    }

    pub(crate) fn is_forever(&self) -> bool {
        self.deadline.is_none() && self.peer.is_none()
    }

    pub(crate) fn left(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
    }

    /// Whether it is over.
    pub(crate) fn ended(&self) -> Option<Ended> {
        match self.left() {
            _ if self.peer_ended() => Some(Ended::Peer),
            Duration::ZERO => Some(Ended::TimedOut),
            _ => None,
        }
    }

    fn peer_ended(&self) -> bool {
        let ready = |peer| seen(peer, PollFlags::POLLIN).is_ok_and(|seen| !seen.is_empty());
        self.peer.is_some_and(ready)
    }
}

impl From<Duration> for Wait<'_> {
    fn from(timeout: Duration) -> Self {
        Wait::at_most(timeout)
    }
}

/// Why a wait ended without what was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    TimedOut,
    /// Nobody is left who could bring it.
    Closed,
    /// The process that the caller named.
    Peer,
}

/// Pauses, then yields: on two CPUs the other side is done within them, on one CPU a yield lets it
/// run at once. More of either costs more than the sleep that it saves.
const PAUSES: u32 = 20;
const YIELDS: u32 = 16;

/// Sleeps that get longer, and never longer than a quarter of a second.
///
/// Whoever is killed between its change and its wake-up wakes nobody, and no cleverness with words in
/// memory can make a dead process ring. So no sleep relies on being woken: a wake-up makes a wait
/// short, this makes it end. Four looks a second are some millionths of a processor.
#[derive(Debug)]
pub(crate) struct Naps(Duration);

const FIRST_NAP: Duration = Duration::from_millis(10);
const LONGEST_NAP: Duration = Duration::from_millis(250);

impl Naps {
    pub(crate) fn new() -> Naps {
        Naps(FIRST_NAP)
    }

    /// How long the next one is to be.
    pub(crate) fn next(&mut self) -> Duration {
        let longer = (self.0 * 2).min(LONGEST_NAP);
        std::mem::replace(&mut self.0, longer)
    }
}

/// A yield that took so long, and after which nothing was there, went to somebody else: the machine
/// has other work, and each of the next ones may cost a time slice of some milliseconds. Who sleeps
/// instead is woken at once.
const DEAR: Duration = Duration::from_micros(100);
/// For so many waits of this thread there is no yield then.
const WITHOUT: u32 = 100;

/// Calls `look` a few times, as long as it finds nothing.
pub(crate) fn spin<R>(mut look: impl FnMut() -> Option<R>) -> Option<R> {
    thread_local! {
        static LEFT_WITHOUT: Cell<u32> = const { Cell::new(0) };
    }
    for _ in 0..PAUSES {
        spin_loop();
        if let Some(found) = look() {
            return Some(found);
        }
    }
    let without = LEFT_WITHOUT.get();
    if without > 0 {
        LEFT_WITHOUT.set(without - 1);
        return None;
    }
    for _ in 0..YIELDS {
        let start = Instant::now();
        yield_now();
        if let Some(found) = look() {
            return Some(found);
        }
        if start.elapsed() > DEAR {
            LEFT_WITHOUT.set(WITHOUT);
            return None;
        }
    }
    None
}

impl Bell {
    /// Waits until `look` finds something, or nobody is left (`gone`).
    pub(crate) fn wait<R>(
        &self,
        wait: &Wait<'_>,
        mut look: impl FnMut() -> Option<R>,
        mut gone: impl FnMut() -> bool,
    ) -> Result<R, Ended> {
        if let Some(found) = look() {
            return Ok(found);
        }
        let patient = !wait.left().is_zero();
        if patient && let Some(found) = spin(&mut look) {
            return Ok(found);
        }
        let mut naps = Naps::new();
        loop {
            // Who will not sleep does not say so.
            let rings = patient.then(|| self.prepare());
            // Asked before the look: what the others did before they went is found by it.
            let end = if gone() { Some(Ended::Closed) } else { wait.ended() };
            match (look(), end) {
                (Some(found), _) => return Ok(found),
                (None, Some(end)) => return Err(end),
                (None, None) => {}
            }
            if let Some(rings) = rings {
                self.sleep(rings, naps.next().min(wait.left()));
            }
        }
    }
}
