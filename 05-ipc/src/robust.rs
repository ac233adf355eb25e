use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::time::Instant;

use crate::sleep::{Naps, spin};

/// A mutex in shared memory whose next owner is told that the former one died.
///
/// It is the C library's, *process-shared* and *robust*: each thread has a list of those that it
/// holds, which the kernel walks when the thread ends, however it ends. It marks each one and wakes
/// a waiter. No time-out, process id or /proc is involved, and nothing that a killed process
/// would have had to do. (An atomic word of our own could only be freed by its owner.)
///
/// Source: [pthread_mutexattr_setrobust(3)](https://man7.org/linux/man-pages/man3/pthread_mutexattr_setrobust.3.html),
/// [get_robust_list(2)](https://man7.org/linux/man-pages/man2/get_robust_list.2.html).
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Robust(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: a mutex is made to be used by several threads; it is only ever given to its functions.
unsafe impl Sync for Robust {}

unsafe extern "C" {
    /// In the GNU C library since 2.30: as `pthread_mutex_timedlock`, and not by the clock that an
    /// administrator may set back.
    fn pthread_mutex_clocklock(
        mutex: *mut libc::pthread_mutex_t,
        clock: libc::clockid_t,
        deadline: *const libc::timespec,
    ) -> libc::c_int;
}

type Set = unsafe extern "C" fn(*mut libc::pthread_mutexattr_t, libc::c_int) -> libc::c_int;

/// Why a lock was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// By then another thread or process held it.
    Busy,
    /// This very thread holds it: the wait would be for itself.
    Mine,
    /// The words in memory are no lock: somebody wrote over them.
    Broken,
}

impl Robust {
    /// Makes it a lock.
    ///
    /// # Safety
    ///
    /// Nobody else knows of it yet.
    pub(crate) unsafe fn init(&self) -> io::Result<()> {
        let mut attributes = MaybeUninit::uninit();
        let attributes: *mut libc::pthread_mutexattr_t = attributes.as_mut_ptr();
        let done = |code| if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) };
        // SAFETY: it is ours, and writing to it is what the call does.
        done(unsafe { libc::pthread_mutexattr_init(attributes) })?;
        for (set, what) in [
            (libc::pthread_mutexattr_setpshared as Set, libc::PTHREAD_PROCESS_SHARED),
            (libc::pthread_mutexattr_setrobust, libc::PTHREAD_MUTEX_ROBUST),
            // Taken twice by one thread it is an error, and no wait for ever.
            (libc::pthread_mutexattr_settype, libc::PTHREAD_MUTEX_ERRORCHECK),
        ] {
            // SAFETY: they were initialised above.
            done(unsafe { set(attributes, what) })?;
        }
        // SAFETY: the mutex is valid for writing, and the caller promises that nobody looks at it
        // meanwhile. (The attributes own nothing, and need no `destroy`, in the GNU C library.)
        done(unsafe { libc::pthread_mutex_init(self.0.get(), attributes) })
    }

    /// Takes it, waiting until the deadline at most; `None` waits for as long as its owner lives. True
    /// if the former owner died with it.
    pub(crate) fn lock(&self, deadline: Option<Instant>) -> Result<bool, NotTaken> {
        match self.try_lock() {
            Err(NotTaken::Busy) => {}
            other => return other,
        }
        // Those who hold it hold it for a moment, mostly: then a sleep would cost more.
        let spun = spin(|| match self.try_lock() {
            Err(NotTaken::Busy) => None,
            other => Some(other),
        });
        if let Some(taken) = spun {
            return taken;
        }
        // In naps, and not once and for all. The kernel wakes the next waiter when the one that it woke
        // is killed, but not if somebody else took the lock in between: that one doesn't know of any
        // waiters, and wakes nobody either. So a lock may be open while somebody sleeps.
        let mut naps = Naps::new();
        loop {
            let nap = Instant::now() + naps.next();
            let until = monotonic(deadline.map_or(nap, |deadline| deadline.min(nap)));
            let clock = libc::CLOCK_MONOTONIC;
            // SAFETY: an initialised mutex in mapped memory, and a time that is valid during the call.
            let code = unsafe { pthread_mutex_clocklock(self.0.get(), clock, &raw const until) };
            match self.taken(code) {
                Err(NotTaken::Busy) if deadline.is_none_or(|end| Instant::now() < end) => {}
                other => return other,
            }
        }
    }

    /// Takes it if it is free.
    pub(crate) fn try_lock(&self) -> Result<bool, NotTaken> {
        // SAFETY: an initialised mutex in mapped memory.
        self.taken(unsafe { libc::pthread_mutex_trylock(self.0.get()) })
    }

    /// Opens it. By whoever does not hold it, it changes nothing: neither by a forked child, whose
    /// thread is another one.
    pub(crate) fn unlock(&self) {
        // SAFETY: an initialised mutex in mapped memory, which looks who calls.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }

    fn taken(&self, code: libc::c_int) -> Result<bool, NotTaken> {
        match code {
            0 => Ok(false),
            libc::EOWNERDEAD => {
                // At once: opened without this it would be lost for ever (ENOTRECOVERABLE). Killed
                // before it, this process leaves the mark for the next one.
                // SAFETY: the mutex is held by this thread.
                unsafe { libc::pthread_mutex_consistent(self.0.get()) };
                Ok(true)
            }
            libc::EBUSY | libc::ETIMEDOUT => Err(NotTaken::Busy),
            libc::EDEADLK => Err(NotTaken::Mine),
            _ => Err(NotTaken::Broken),
        }
    }
}

/// The same moment in the form that the C library takes.
fn monotonic(deadline: Instant) -> libc::timespec {
    let left = deadline.saturating_duration_since(Instant::now());
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is valid for writing.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    let nanos = now.tv_nsec + i64::from(left.subsec_nanos());
    let seconds = i64::try_from(left.as_secs()).unwrap_or(i64::MAX / 2);
    libc::timespec {
        tv_sec: now.tv_sec.saturating_add(seconds).saturating_add(nanos / 1_000_000_000),
        tv_nsec: nanos % 1_000_000_000,
    }
}
