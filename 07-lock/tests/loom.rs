//! Every step in all schedules that its threads can have, and all values that the memory model lets
//! them read: `.ci/run loom`, or
//! `RUSTFLAGS="--cfg loom" cargo test -p lock --test loom --release --target-dir target/loom`.
//!
//! What is guarded is loom's own cell, which reports an access that no lock orders. A waiter that
//! nobody wakes is reported as a deadlock.
#![cfg(loom)]

use std::time::Duration;

use lock::{Barrier, Condvar, Event, Lock, Mutex, RLock, RwLock, Semaphore, SleepLock, SpinLock};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread::{self, JoinHandle};

type Count = UnsafeCell<u32>;

fn zero() -> Count {
    UnsafeCell::new(0)
}

/// Adds one; loom fails it if another thread is at the number too.
fn add(count: &Count) {
    // SAFETY: whoever calls it holds the lock; that this is enough is what loom checks.
    count.with_mut(|count| unsafe { *count += 1 });
}

fn get(count: &Count) -> u32 {
    // SAFETY: as above.
    count.with(|count| unsafe { *count })
}

fn share<T>(value: T) -> (Arc<T>, Arc<T>) {
    let one = Arc::new(value);
    (Arc::clone(&one), one)
}

fn spawn<R: 'static>(work: impl FnOnce() -> R + 'static) -> JoinHandle<R> {
    thread::spawn(work)
}

/// In all schedules, or in all that interrupt a running thread at most so many times.
fn all_schedules(switches: Option<usize>, run: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(switches);
    model.check(run);
}

/// Another thread and this one add under a lock; `with` takes it.
fn two_count<L: 'static>(new: fn() -> L, with: fn(&L)) {
    all_schedules(None, move || {
        let (one, lock) = share(new());
        let thread = spawn(move || with(&*one));
        with(&*lock);
        thread.join().unwrap();
        with(&*lock);
    });
}

/// As above, with one thread more: now there may be two sleepers.
fn three_count<L: 'static>(new: fn() -> L, with: fn(&L)) {
    all_schedules(Some(2), move || {
        let (one, lock) = share(new());
        let two = Arc::clone(&one);
        let threads = [spawn(move || with(&*one)), spawn(move || with(&*two))];
        with(&*lock);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

macro_rules! counts {
    ($name:ident, $how:ident, $lock:expr, $with:expr) => {
        #[test]
        fn $name() {
            $how(|| $lock, $with);
        }
    };
}

counts!(spin_lock, two_count, SpinLock::new(zero()), |lock| add(&lock.lock()));
counts!(sleep_lock, two_count, SleepLock::new(zero()), |lock| add(&lock.lock()));
counts!(sleep_lock_3, three_count, SleepLock::new(zero()), |lock| add(&lock.lock()));
counts!(mutex, two_count, Mutex::new(zero()), |lock| add(&lock.lock()));
counts!(mutex_3, three_count, Mutex::new(zero()), |lock| add(&lock.lock()));
counts!(rwlock_writers, two_count, RwLock::new(zero()), |lock| add(&lock.write()));
counts!(lock, two_count, Lock::new(zero()), |lock| add(&lock.lock().unwrap()));
counts!(mutex_with_try, two_count, Mutex::new(zero()), |lock| {
    lock.try_lock().map(|count| add(&count));
    add(&lock.lock());
});
// Who gives up leaves `CONTENDED` behind, and no sleeper without a wake.
counts!(mutex_with_timeout, two_count, Mutex::new(zero()), |lock| {
    match lock.lock_timeout(Duration::ZERO) {
        Some(count) => add(&count),
        None => add(&lock.lock()),
    }
});

#[test]
fn rlock() {
    fn work(lock: &RLock<Count>) {
        let outer = lock.lock();
        add(&lock.lock());
        drop(outer);
        // Once more: a lock that still took itself for this thread's would let it in beside the
        // other.
        add(&lock.lock());
    }
    all_schedules(Some(3), || {
        let (one, lock) = share(RLock::new(zero()));
        let thread = spawn(move || work(&one));
        work(&lock);
        thread.join().unwrap();
        assert_eq!(get(&lock.lock()), 4);
    });
}

#[test]
fn rwlock_readers_and_a_writer() {
    all_schedules(Some(3), || {
        let (one, lock) = share(RwLock::new(zero()));
        let two = Arc::clone(&one);
        let reader = spawn(move || get(&one.read()));
        let writer = spawn(move || add(&two.write()));
        let before = get(&lock.read());
        writer.join().unwrap();
        let seen = reader.join().unwrap();
        assert!(before <= 1 && seen <= 1 && get(&lock.read()) == 1);
    });
}

#[test]
fn rwlock_writer_that_gives_up_lets_readers_in() {
    all_schedules(Some(3), || {
        let (one, lock) = share(RwLock::new(zero()));
        let two = Arc::clone(&one);
        let writer = spawn(move || one.write_timeout(Duration::ZERO).map(|count| add(&count)));
        let reader = spawn(move || get(&two.read()));
        drop(lock.read());
        let wrote = u32::from(writer.join().unwrap().is_some());
        assert!(reader.join().unwrap() <= wrote);
        assert_eq!(get(&lock.read()), wrote);
        assert!(lock.try_write().is_some());
    });
}

/// With one permit a semaphore orders what happens under it, as a mutex does.
#[test]
fn semaphore_of_one() {
    type Guarded = (Semaphore, Shared);
    struct Shared(Count);
    // SAFETY: the permit keeps it to one thread at a time; loom checks that.
    unsafe impl Sync for Shared {}
    fn work((semaphore, count): &Guarded) {
        let _permit = semaphore.acquire();
        add(&count.0);
    }
    three_count(|| (Semaphore::bounded(1), Shared(zero())), work);
}

/// Two sleepers, and two releases that come together: nobody sleeps on beside a permit.
#[test]
fn semaphore_as_a_signal() {
    for at_once in [true, false] {
        all_schedules(Some(2), move || {
            let (one, semaphore) = share(Semaphore::new(0));
            let two = Arc::clone(&one);
            let threads = [one, two].map(|semaphore| spawn(move || semaphore.acquire().forget()));
            if at_once {
                semaphore.release(2).unwrap();
            } else {
                semaphore.release(1).unwrap();
                semaphore.release(1).unwrap();
            }
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(semaphore.permits(), 0);
        });
    }
}

#[test]
fn condvar_is_not_missed() {
    all_schedules(Some(3), || {
        let (one, both) = share((Mutex::new(zero()), Condvar::new()));
        let waiter = spawn(move || {
            let (count, changed) = &*one;
            let mut count = count.lock();
            changed.wait_for(&mut count, |count| get(count) == 1);
        });
        add(&both.0.lock());
        both.1.notify(1);
        waiter.join().unwrap();
    });
}

#[test]
fn condvar_notifies_exactly_those_who_wait() {
    struct State {
        waiting: usize,
        over: bool,
    }
    all_schedules(Some(2), || {
        let state = State { waiting: 0, over: false };
        let (one, both) = share((Mutex::new(state), Condvar::new()));
        let two = Arc::clone(&one);
        let threads = [one, two].map(|both| {
            spawn(move || {
                let mut state = both.0.lock();
                if !state.over {
                    state.waiting += 1;
                    both.1.wait(&mut state);
                    // Nobody comes back who was not notified.
                    assert!(state.over);
                }
            })
        });
        let waiting = {
            let mut state = both.0.lock();
            state.over = true;
            state.waiting
        };
        assert_eq!(both.1.notify(1) + both.1.notify(1), waiting);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn condvar_timeout_takes_nobodys_notification() {
    all_schedules(Some(2), || {
        let (one, both) = share((Mutex::new(()), Condvar::new()));
        let waiter = spawn(move || {
            let mut guard = one.0.lock();
            one.1.wait_timeout(&mut guard, Duration::ZERO)
        });
        let woken = both.1.notify(1);
        // It was notified if and only if the notification says so.
        assert_eq!(waiter.join().unwrap(), woken == 1);
        assert_eq!(both.1.notify(1), 0);
    });
}

#[test]
fn event_hands_over_what_was_done_before() {
    all_schedules(Some(3), || {
        struct Shared(Event, Count);
        // SAFETY: written before `set`, read after `wait`; loom checks that.
        unsafe impl Sync for Shared {}
        let (one, shared) = share(Shared(Event::new(), zero()));
        let two = Arc::clone(&one);
        let waiters = [one, two].map(|shared| {
            spawn(move || {
                shared.0.wait();
                get(&shared.1)
            })
        });
        add(&shared.1);
        shared.0.set();
        waiters.into_iter().for_each(|waiter| assert_eq!(waiter.join().unwrap(), 1));
    });
}

#[test]
fn barrier_lets_all_go_each_with_a_place() {
    all_schedules(Some(2), || {
        let (one, barrier) = share(Barrier::new(2));
        let thread = spawn(move || one.wait().unwrap() + one.wait().unwrap());
        let places = barrier.wait().unwrap() + barrier.wait().unwrap();
        assert_eq!(places + thread.join().unwrap(), 2);
    });
}

#[test]
fn barrier_timeout_breaks_all_or_nobody() {
    all_schedules(Some(3), || {
        let (one, barrier) = share(Barrier::new(2));
        let thread = spawn(move || one.wait_timeout(Duration::ZERO).is_ok());
        let mine = barrier.wait().is_ok();
        assert_eq!(mine, thread.join().unwrap());
        assert_eq!(mine, !barrier.is_broken());
    });
}
