//! Promises of `SpinLock`, `SleepLock`, `Mutex` and `both`.

mod support;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use lock::{Mutex, SleepLock, SpinLock, both};
use support::Thread;

const SOON: Duration = Duration::from_millis(30);

/// Four threads count with a variable that would lose counts without a lock.
fn counts<L: Sync>(lock: &L, add: impl Fn(&L) + Sync) {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..20_000).for_each(|_| add(lock)));
        }
    });
}

#[test]
fn only_one_thread_holds_a_lock_at_a_time() {
    let spin = SpinLock::new(0);
    counts(&spin, |count| *count.lock() += 1);
    assert_eq!(*spin.lock(), 80_000);
    let sleep = SleepLock::new(0);
    counts(&sleep, |count| *count.lock() += 1);
    assert_eq!(*sleep.lock(), 80_000);
    let mutex = Mutex::new(0);
    counts(&mutex, |count| *count.lock() += 1);
    assert_eq!(mutex.into_inner(), 80_000);
    // With a try that fails in between, and with timeouts that end.
    let mutex = Mutex::new(0);
    counts(&mutex, |count| {
        let guard = count.try_lock().or_else(|| count.lock_timeout(Duration::from_nanos(1)));
        *guard.unwrap_or_else(|| count.lock()) += 1;
    });
    assert_eq!(mutex.into_inner(), 80_000);
}

#[test]
fn a_try_that_fails_does_not_open_the_lock() {
    let (mutex, spin) = (Mutex::new(()), SpinLock::new(()));
    let guards = (mutex.lock(), spin.lock());
    for _ in 0..2 {
        assert!(mutex.try_lock().is_none() && mutex.lock_timeout(Duration::ZERO).is_none());
        assert!(spin.try_lock().is_none() && mutex.is_locked());
    }
    drop(guards);
    assert!(!mutex.is_locked() && mutex.try_lock().is_some() && spin.try_lock().is_some());
}

#[test]
fn a_wait_with_a_timeout_ends_on_time_and_leaves_the_lock_whole() {
    let mutex = Arc::new(Mutex::new(5));
    let guard = mutex.lock();
    let start = Instant::now();
    assert!(mutex.lock_timeout(SOON).is_none());
    assert!(start.elapsed() >= SOON, "it gave up too early: {:?}", start.elapsed());
    // One that gave up leaves no harm to one that waits on.
    let other = Arc::clone(&mutex);
    let patient = Thread::asleep(move || *other.lock_timeout(Duration::MAX).expect("in time"));
    assert!(mutex.lock_timeout(SOON).is_none());
    drop(guard);
    assert_eq!(patient.join(), 5);
}

#[test]
fn sleepers_get_the_lock_one_after_another() {
    let mutex = Arc::new(Mutex::new(0));
    let guard = mutex.lock();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let mutex = Arc::clone(&mutex);
            Thread::asleep(move || *mutex.lock() += 1)
        })
        .collect();
    drop(guard);
    threads.into_iter().for_each(Thread::join);
    assert_eq!(*mutex.lock(), 8);
}

#[test]
fn a_panic_opens_a_mutex() {
    let mutex = Arc::new(Mutex::new(1));
    let other = Arc::clone(&mutex);
    let clerk = Thread::start(move || {
        *other.lock() = 2;
        let _guard = other.lock();
        panic!("on purpose");
    });
    assert_eq!(clerk.join_panicked(), "on purpose");
    assert_eq!(*mutex.lock(), 2);
}

#[test]
fn locks_guard_what_can_be_sent_even_if_it_cannot_be_shared() {
    fn shared<T: Sync>(_: &T) {}
    shared(&Mutex::new(Cell::new(0)));
    let slice: &Mutex<[i32]> = &Mutex::new([1, 2, 3]);
    assert_eq!(slice.lock().len(), 3);
    assert_eq!(format!("{:?}", slice.lock()), "[1, 2, 3]");
}

#[test]
fn both_takes_two_in_one_order_whatever_the_call_says() {
    let accounts = [Mutex::new(1000), Mutex::new(1000)];
    thread::scope(|scope| {
        for (from, to) in [(0, 1), (1, 0)] {
            let accounts = &accounts;
            scope.spawn(move || {
                for _ in 0..5_000 {
                    let (mut from, mut to) = both(&accounts[from], &accounts[to]);
                    (*from, *to) = (*from - 1, *to + 1);
                }
            });
        }
    });
    assert_eq!(accounts.map(Mutex::into_inner), [1000, 1000]);
    let mutex = Mutex::new(());
    let twice = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        drop(both(&mutex, &mutex));
    }));
    assert!(twice.is_err() && mutex.try_lock().is_some());
}

#[test]
fn a_guard_is_shared_only_if_what_it_guards_can_be() {
    let mutex = Mutex::new(AtomicBool::new(false));
    let guard = mutex.lock();
    thread::scope(|scope| {
        scope.spawn(|| guard.store(true, Relaxed));
    });
    assert!(guard.load(Relaxed));
}
