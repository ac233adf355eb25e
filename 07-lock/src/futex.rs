//! The ground on which every lock here stands: atomics and the futex, or loom's models of them.

#[cfg(not(loom))]
pub(crate) use std::{hint::spin_loop, sync::atomic, thread::yield_now, thread_local};

#[cfg(loom)]
pub(crate) use loom::{hint::spin_loop, sync::atomic, thread::yield_now, thread_local};

use atomic::AtomicU32;
use std::ops::Deref;
use std::time::{Duration, Instant};

/// An atomic number that threads can sleep on.
///
/// Unlike a plain [`AtomicU32`](std::sync::atomic::AtomicU32), which a thread can only look at
/// again and again, it lets the kernel put the thread aside until another one has changed the
/// number and says so. Unlike a lock it decides nothing: what the number means is the business of
/// whoever builds a lock on it.
///
/// ```
/// use std::sync::atomic::Ordering::{Acquire, Release};
///
/// static DONE: lock::Futex = lock::Futex::new(0);
/// std::thread::spawn(|| {
///     DONE.store(1, Release);
///     DONE.wake(1);
/// });
/// while DONE.load(Acquire) == 0 {
///     DONE.wait(0, None);
/// }
/// ```
///
/// Source: [futex(2)](https://man7.org/linux/man-pages/man2/futex.2.html).
#[derive(Debug, Default)]
pub struct Futex {
    word: AtomicU32,
    #[cfg(loom)]
    model: model::Queue,
}

impl Deref for Futex {
    type Target = AtomicU32;

    fn deref(&self) -> &AtomicU32 {
        &self.word
    }
}

#[cfg(not(loom))]
impl Futex {
    /// A word with that value.
    pub const fn new(value: u32) -> Futex {
        Futex { word: AtomicU32::new(value) }
    }

    /// Sleeps if the word is `expected`, until a [`wake`](Futex::wake) or the deadline; `false`
    /// says that it was the deadline.
    ///
    /// The kernel compares and falls asleep in one step, under a lock that `wake` takes as well. So
    /// whoever first changes the word and then wakes can't miss a thread that looked before the
    /// change. It also returns for no reason at times (another value, a signal): look at the word
    /// again, in a loop.
    pub fn wait(&self, expected: u32, deadline: Option<Instant>) -> bool {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return false;
        }
        let left = left.map(|left| libc::timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(libc::time_t::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        let timeout = left.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let wait = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: the word is borrowed, and `left` lives, for the length of the call; the kernel
        // only reads both.
        let result =
            unsafe { libc::syscall(libc::SYS_futex, self.word.as_ptr(), wait, expected, timeout) };
        result == 0 || std::io::Error::last_os_error().raw_os_error() != Some(libc::ETIMEDOUT)
    }

    /// Wakes at most `count` threads that sleep on the word, and tells how many it were.
    pub fn wake(&self, count: u32) -> u32 {
        let wake = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        let count = count.min(i32::MAX.cast_unsigned());
        // SAFETY: the kernel takes the address as a name, and does not touch the memory.
        let woken = unsafe { libc::syscall(libc::SYS_futex, self.word.as_ptr(), wake, count) };
        woken.try_into().unwrap_or(0)
    }
}

/// The point in time that lies `timeout` ahead; `None`, for ever, if no clock goes that far.
pub(crate) fn after(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}

/// Makes a function `const`, except under loom, whose atomics don't exist before the program runs.
macro_rules! constant {
    ($(#[$attribute:meta])* $visibility:vis fn $($rest:tt)*) => {
        #[cfg(not(loom))]
        $(#[$attribute])* $visibility const fn $($rest)*
        #[cfg(loom)]
        $(#[$attribute])* $visibility fn $($rest)*
    };
}
pub(crate) use constant;

/// What the kernel does, in terms that loom can try out in all orders.
#[cfg(loom)]
mod model {
    use super::Futex;
    use loom::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use loom::sync::{Arc, Mutex, Notify};
    use std::collections::VecDeque;
    use std::time::Instant;

    /// The kernel's list of who sleeps on a word. (Not loom's `Condvar`, which can lose a wake-up
    /// of its own: one that comes between its unlock and its sleep.)
    #[derive(Debug, Default)]
    pub(super) struct Queue {
        asleep: Mutex<VecDeque<Arc<Notify>>>,
    }

    impl Futex {
        /// A word with that value.
        pub fn new(value: u32) -> Futex {
            Futex { word: AtomicU32::new(value), model: Queue::default() }
        }

        /// As the kernel does it. There is no clock here: a deadline has always passed.
        pub fn wait(&self, expected: u32, deadline: Option<Instant>) -> bool {
            let mut asleep = self.model.asleep.lock().unwrap();
            if self.word.load(Relaxed) != expected {
                return true;
            }
            if deadline.is_some() {
                return false;
            }
            let me = Arc::new(Notify::new());
            asleep.push_back(Arc::clone(&me));
            // Loom's own wakes for no reason are not passed on: each would be a loop more to try
            // out.
            while asleep.iter().any(|other| Arc::ptr_eq(other, &me)) {
                drop(asleep);
                me.wait();
                asleep = self.model.asleep.lock().unwrap();
            }
            true
        }

        /// As the kernel does it.
        pub fn wake(&self, count: u32) -> u32 {
            let mut asleep = self.model.asleep.lock().unwrap();
            let woken = asleep.len().min(count as usize);
            asleep.drain(..woken).for_each(|thread| thread.notify());
            woken as u32
        }
    }
}
