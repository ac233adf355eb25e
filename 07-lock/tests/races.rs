//! Plain memory that each lock hands from thread to thread, and nothing of the standard library between the threads but
//! their start and their end: so a race detector can judge it. `.ci/run sanitizer` runs it under ThreadSanitizer.

use std::cell::{Cell, UnsafeCell};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use lock::{Barrier, Condvar, Event, Lock, Mutex, RLock, RwLock, Semaphore, SleepLock, SpinLock};

const THREADS: usize = 4;
const ROUNDS: u64 = 1_000;
const ALL: u64 = ROUNDS * THREADS as u64;

/// Runs `work` in all threads at once. No scope: its end is out of the detector's sight, a join is not.
fn together(work: impl Fn(usize) + Copy + Send + 'static) {
    let start = |number| thread::spawn(move || work(number));
    let threads: Vec<_> = (0..THREADS).map(start).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

/// As above, in each thread so many times.
fn often(work: impl Fn() + Copy + Send + 'static) {
    together(move |_| (0..ROUNDS).for_each(|_| work()));
}

/// Memory that anybody touches: that nobody does at the same time is the business of what is tested.
struct Bare(UnsafeCell<u64>);

// SAFETY: not at all by itself: see `get` and `set`.
unsafe impl Sync for Bare {}

impl Bare {
    const fn new() -> Bare {
        Bare(UnsafeCell::new(0))
    }

    fn get(&self) -> u64 {
        // SAFETY: what is tested lets nobody write meanwhile; that it does so is the test.
        unsafe { *self.0.get() }
    }

    fn set(&self, value: u64) {
        // SAFETY: what is tested lets nobody else in meanwhile; that it does so is the test.
        unsafe { *self.0.get() = value };
    }
}

#[test]
fn locks_order_what_their_owners_do() {
    static SPIN: SpinLock<u64> = SpinLock::new(0);
    often(|| *SPIN.lock() += 1);
    static SLEEP: SleepLock<u64> = SleepLock::new(0);
    often(|| *SLEEP.lock() += 1);
    static MUTEX: Mutex<u64> = Mutex::new(0);
    often(|| {
        let soon = || MUTEX.lock_timeout(Duration::from_micros(50));
        *MUTEX.try_lock().or_else(soon).unwrap_or_else(|| MUTEX.lock()) += 1;
    });
    static LOCK: Lock<u64> = Lock::new(0);
    often(|| *LOCK.lock().expect("no panic") += 1);
    static RLOCK: RLock<Cell<u64>> = RLock::new(Cell::new(0));
    often(|| {
        let outer = RLOCK.lock();
        RLOCK.lock().set(outer.get() + 1);
    });
    let counts = [*SPIN.lock(), *SLEEP.lock(), *MUTEX.lock(), *LOCK.lock().expect("no panic")];
    assert_eq!((counts, RLOCK.lock().get()), ([ALL; 4], ALL));
}

#[test]
fn a_writer_is_ordered_with_readers_before_and_after() {
    static LOCK: RwLock<u64> = RwLock::new(0);
    together(|number| {
        let mut seen = 0;
        for _ in 0..ROUNDS {
            if number % 2 == 0 {
                *LOCK.write() += 1;
            }
            let now = *LOCK.read();
            assert!(now >= seen);
            seen = now;
        }
    });
    assert_eq!(*LOCK.read(), ALL / 2);
}

#[test]
fn a_permit_orders_one_holder_after_another() {
    static SEMAPHORE: Semaphore = Semaphore::new(1);
    static COUNT: Bare = Bare::new();
    often(|| {
        let _permit = SEMAPHORE.acquire();
        COUNT.set(COUNT.get() + 1);
    });
    assert_eq!(COUNT.get(), ALL);
}

#[test]
fn who_waits_for_an_event_sees_what_came_before_it() {
    static SET: [Event; 200] = [const { Event::new() }; 200];
    static WRITTEN: [Bare; 200] = [const { Bare::new() }; 200];
    together(|number| {
        for (event, written) in SET.iter().zip(&WRITTEN) {
            if number == 0 {
                written.set(7);
                event.set();
            } else if number == 1 {
                while !event.is_set() {
                    thread::yield_now();
                }
            } else {
                event.wait();
            }
            assert_eq!(written.get(), 7);
        }
    });
}

#[test]
fn who_passes_a_barrier_sees_what_the_others_did_before_it() {
    static BARRIER: OnceLock<Barrier> = OnceLock::new();
    let barrier = BARRIER.get_or_init(|| Barrier::new(THREADS));
    static WRITTEN: [Bare; THREADS] = [const { Bare::new() }; THREADS];
    together(move |number| {
        for round in 0..ROUNDS / 4 {
            WRITTEN[number].set(round);
            barrier.wait().expect("whole");
            WRITTEN.iter().for_each(|written| assert_eq!(written.get(), round));
            barrier.wait().expect("whole");
        }
    });
}

#[test]
fn who_is_notified_has_the_mutex_again() {
    static TURN: Mutex<u64> = Mutex::new(0);
    static NEXT: Condvar = Condvar::new();
    together(|number| {
        for round in 0..ROUNDS / 4 {
            let mut turn = TURN.lock();
            let mine = round * THREADS as u64 + number as u64;
            NEXT.wait_for(&mut turn, |turn| *turn == mine);
            *turn += 1;
            NEXT.notify_all();
        }
    });
    assert_eq!(*TURN.lock(), ALL / 4);
}
