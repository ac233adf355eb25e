#![doc = include_str!("../README.md")]

// The ground: a number that threads can sleep on.
mod futex;
pub use futex::Futex;

// Three locks, each better than the one before.
mod guard;
mod spin;
pub use spin::{SpinGuard, SpinLock};

mod sleep;
pub use sleep::{SleepGuard, SleepLock};

mod mutex;
mod raw;
pub use mutex::{Mutex, MutexGuard};

// Waiting for more than a lock.
mod condvar;
pub use condvar::Condvar;

mod rwlock;
pub use rwlock::{ReadGuard, RwLock, WriteGuard};

mod semaphore;
pub use semaphore::{OverRelease, Permit, Semaphore};

mod event;
pub use event::Event;

mod barrier;
pub use barrier::{Barrier, BrokenBarrier};

// Locks that know more: who holds them, who failed, what else was held.
mod rlock;
pub use rlock::{RGuard, RLock};

mod lock;
pub use lock::{Lock, LockError, LockGuard, Poisoned};

mod ordered;
pub use ordered::{Deadlock, Ordered, OrderedGuard, Step};

mod both;
pub use both::both;
