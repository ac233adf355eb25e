use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

// With those of `child.rs` and `private.rs` in one section, which is where the lock of stdout lies:
// each page that a child writes to is one more to copy.
/// How many forks of this library lie between the first process and this one.
#[unsafe(link_section = ".data")]
static GENERATION: AtomicU32 = AtomicU32::new(0);
/// The thread that called the last fork: the only one that lives on in this process.
#[unsafe(link_section = ".data")]
static SURVIVOR: AtomicU32 = AtomicU32::new(0);
/// Thread numbers, never reused, and the same in a child for the thread that forked.
static NEXT_THREAD: AtomicU32 = AtomicU32::new(1);

thread_local! {
    static THREAD: u32 = NEXT_THREAD.fetch_add(1, Relaxed);
}

#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Relaxed)
}

/// The calling thread's number.
pub(crate) fn thread() -> u32 {
    THREAD.with(|id| *id)
}

/// Whether the calling thread is the only one of this process, as the C library counts them. It may
/// not know it, and then says no.
///
/// Source: `<sys/single_threaded.h>`.
pub(crate) fn alone() -> bool {
    #[cfg(target_env = "gnu")]
    {
        unsafe extern "C" {
            static __libc_single_threaded: AtomicBool;
        }
        // SAFETY: it is a `char` that is 0 or 1, and written by this thread, when it starts another.
        unsafe { &__libc_single_threaded }.load(Relaxed)
    }
    #[cfg(not(target_env = "gnu"))]
    false
}

/// Called once in a new child, by its only thread.
#[inline]
pub(crate) fn enter_child(thread: u32) {
    SURVIVOR.store(thread, Relaxed);
    GENERATION.fetch_add(1, Relaxed);
}

const FREE: u64 = 0;

/// A lock that a forked child can use, whoever held it at the fork.
///
/// Unlike a [`std::sync::Mutex`], which stays shut for ever in the child of a thread that did not
/// hold it (its holder does not exist there, and nobody else may open it), it knows by the holder's
/// thread and process that nobody is left, and opens. It guards no data of its own, because
/// what the holder was changing may be half done: put right in the child what it guards.
///
/// A lock held by the thread that forks is held in the child too, by the same guard: move the guard
/// into the closure, and it opens once in each process.
///
/// It is the counterpart of the `_at_fork_reinit` of Python's locks.
///
/// ```
/// static BOOKS: fork::Lock = fork::Lock::new();
/// let guard = BOOKS.lock();
/// assert!(BOOKS.try_lock().is_none());
/// drop(guard);
/// assert!(BOOKS.try_lock().is_some());
/// ```
#[derive(Debug, Default)]
pub struct Lock {
    /// [`FREE`], or the holder: generation in the high half, thread in the low one.
    holder: AtomicU64,
    /// Changes at each release that somebody may wait for: what the waiters sleep on.
    releases: AtomicU32,
    waiters: AtomicU32,
}

impl Lock {
    /// A free lock.
    pub const fn new() -> Lock {
        Lock {
            holder: AtomicU64::new(FREE),
            releases: AtomicU32::new(0),
            waiters: AtomicU32::new(0),
        }
    }

    /// Waits until the lock is free and takes it.
    ///
    /// The wait has no deadline: it is for a holder in this process, whose end ends the wait too.
    ///
    /// # Panics
    ///
    /// When this thread holds it already, since the wait would be for itself. In a forked child that
    /// is also a guard that stayed behind in the function that forked.
    pub fn lock(&self) -> Guard<'_> {
        loop {
            let releases = self.releases.load(SeqCst);
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            assert!(
                !self.is_mine(),
                "this thread holds the lock already, maybe since before a fork"
            );
            // Counted before the sleep, and `releases` compared in it: a release either sees this
            // waiter and wakes it, or has changed the number, and there is no sleep. Both sides
            // write one word and then read the other one, which only SeqCst keeps in order.
            self.waiters.fetch_add(1, SeqCst);
            futex_wait(&self.releases, releases);
            self.waiters.fetch_sub(1, Relaxed);
        }
    }

    fn is_mine(&self) -> bool {
        self.holder.load(Relaxed) as u32 == thread()
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Option<Guard<'_>> {
        let me = u64::from(generation()) << 32 | u64::from(thread());
        let seen = self.holder.load(Relaxed);
        if seen != FREE && !is_stale(seen) {
            return None;
        }
        self.holder.compare_exchange(seen, me, Acquire, Relaxed).ok()?;
        Some(Guard { lock: self, not_send: std::marker::PhantomData })
    }
}

/// Whether the holder is a thread that the fork left behind.
fn is_stale(holder: u64) -> bool {
    let (held_in, thread) = ((holder >> 32) as u32, holder as u32);
    held_in != generation() && thread != SURVIVOR.load(Relaxed)
}

/// Holds a [`Lock`]; dropping it opens the lock.
#[derive(Debug)]
#[must_use = "the lock opens again at once when the guard is dropped"]
pub struct Guard<'a> {
    lock: &'a Lock,
    /// Which thread holds it decides who is left after a fork.
    not_send: std::marker::PhantomData<*const ()>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.lock.holder.store(FREE, Release);
        self.lock.releases.fetch_add(1, SeqCst);
        if self.lock.waiters.load(SeqCst) > 0 {
            futex_wake_one(&self.lock.releases);
        }
    }
}

/// Sleeps while `word` is `expected`; wakes for no reason at times, so the caller looks again.
///
/// Source: [futex(2)](https://man7.org/linux/man-pages/man2/futex.2.html).
fn futex_wait(word: &AtomicU32, expected: u32) {
    let forever = std::ptr::null::<libc::timespec>();
    let wait = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: `word` is valid for the length of the call, and the kernel only reads it.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), wait, expected, forever) };
}

fn futex_wake_one(word: &AtomicU32) {
    let wake = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel uses the address as a key and does not touch the memory.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), wake, 1) };
}
