// Wrong: testing and setting are two steps.
// Refused by: one_at_a_time
// Told: testing and setting must be one step
use std::ptr::null;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::*};

/// The checks set this: a pause (in microseconds) after every step: other threads get in between.
pub static PAUSE: AtomicU64 = AtomicU64::new(0);
fn step<T>(v: T) -> T {
    let us = PAUSE.load(Relaxed);
    if us > 0 {
        std::thread::sleep(std::time::Duration::from_micros(us));
    }
    v
}

/// An atomic word that threads can sleep on.
#[derive(Default)]
pub struct Word(AtomicU32);

impl Word {
    pub fn load(&self) -> u32 {
        step(self.0.load(Acquire))
    }
    pub fn store(&self, v: u32) {
        self.0.store(v, Release);
        step(())
    }
    pub fn swap(&self, v: u32) -> u32 {
        step(self.0.swap(v, AcqRel))
    }
    /// Ok(old) if it was `old` and is now `new`.
    pub fn compare_exchange(&self, old: u32, new: u32) -> Result<u32, u32> {
        step(self.0.compare_exchange(old, new, AcqRel, Acquire))
    }
    /// Sleep while the value is `expected` (returns at once if it is not, and sometimes for no reason).
    pub fn wait(&self, expected: u32) {
        let (op, forever) = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG, null::<libc::timespec>());
        unsafe { libc::syscall(libc::SYS_futex, &self.0, op, expected, forever) };
    }
    /// Wake one thread that sleeps on this word.
    pub fn wake_one(&self) {
        let op = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        unsafe { libc::syscall(libc::SYS_futex, &self.0, op, 1) };
    }
}

/// 0: free, 1: locked, 2: locked and somebody may be waiting.
#[derive(Default)]
pub struct Lock(Word);

impl Lock {
    /// Take the lock; sleep in the kernel (do not spin for long) while another thread has it.
    pub fn lock(&self) {
        while self.0.load() != 0 {
            self.0.wait(2);
        }
        self.0.store(2);
    }

    /// Give the lock back and wake one waiter if there may be one.
    pub fn unlock(&self) {
        if self.0.swap(0) == 2 {
            self.0.wake_one();
        }
    }
}
