// What `Lock` must do. A pause after every atomic step lets the other threads in between, and the kernel tells who sleeps.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use judge::exercise::{Case, Thread, require};

use super::answer::{Lock, PAUSE};

pub(crate) const CASES: &[Case] = &[
    Case::of(&one_thread_alone)
        .within(LONG)
        .hang("hang: one thread locked and unlocked, and the next lock waits; unlock sets the word to 0"),
    Case::of(&a_waiter_sleeps_and_is_woken).within(LONG).hang(
        "hang: the lock was given back but the sleeping waiter was not woken; when the word is 0, \
         call wake_one if the state was 2",
    ),
    Case::of(&each_sleeper_gets_its_turn).within(LONG).hang(
        "hang: of two sleeping waiters only one was woken; a thread that slept must take the lock as \
         2, for it can't know whether others still sleep",
    ),
    Case::of(&one_at_a_time)
        .within(Duration::from_secs(5))
        .hang("hang: three threads want the lock, nobody has it, and all sleep; who should be woken?"),
    Case::of(&no_increment_is_lost)
        .within(Duration::from_secs(10))
        .hang("hang: after many turns a waiter was not woken; which transition leaves a 1 or a 0 over a sleeper?"),
];

/// What takes a few milliseconds may take so long on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(3);

judge::case!(
    fn one_thread_alone() {
        let lock = Lock::default();
        for _ in 0..1000 {
            lock.lock();
            lock.unlock();
        }
    }
);

judge::case!(
    fn a_waiter_sleeps_and_is_woken() {
        let (lock, has) = (Lock::default(), AtomicBool::new(false));
        thread::scope(|s| {
            lock.lock();
            let (starts, started) = channel();
            let (lock, has) = (&lock, &has);
            s.spawn(move || {
                let _ = starts.send(Thread::me());
                lock.lock();
                has.store(true, SeqCst);
                lock.unlock();
            });
            let waiter = started.recv().unwrap_or_else(|_| Thread::me());
            waiter.until_asleep();
            let looks = (0..20).map(|_| {
                pause(5);
                waiter.sleeps()
            });
            let asleep = looks.filter(|asleep| *asleep).count();
            require(!has.load(SeqCst), "a second thread got the lock while the first one had it");
            require(
                asleep > 10,
                "the waiter burned processor time instead of sleeping: set the word to 2, then wait(2); \
                 with any other value in the word wait returns at once",
            );
            lock.unlock();
        });
    }
);

judge::case!(
    fn each_sleeper_gets_its_turn() {
        let lock = Lock::default();
        thread::scope(|s| {
            lock.lock();
            let (starts, started) = channel();
            for _ in 0..2 {
                let (starts, lock) = (starts.clone(), &lock);
                s.spawn(move || {
                    let _ = starts.send(Thread::me());
                    lock.lock();
                    lock.unlock();
                });
            }
            for waiter in started.iter().take(2).collect::<Vec<_>>() {
                waiter.until_asleep();
            }
            lock.unlock();
        });
    }
);

judge::case!(
    fn one_at_a_time() {
        PAUSE.store(2_000, Relaxed);
        let (lock, inside, start) = (Lock::default(), AtomicBool::new(false), Barrier::new(3));
        thread::scope(|s| {
            for _ in 0..3 {
                s.spawn(|| {
                    for _ in 0..10 {
                        start.wait();
                        lock.lock();
                        require(
                            !inside.swap(true, SeqCst),
                            "two threads had the lock at once: testing and setting must be one step \
                             (compare_exchange or swap), not load and then store",
                        );
                        pause(3);
                        inside.store(false, SeqCst);
                        lock.unlock();
                    }
                });
            }
        });
    }
);

judge::case!(
    fn no_increment_is_lost() {
        let (lock, count) = (Lock::default(), AtomicU64::new(0));
        thread::scope(|s| {
            for _ in 0..3 {
                s.spawn(|| {
                    for _ in 0..20_000 {
                        lock.lock();
                        // Two steps: only the lock makes one of them.
                        count.store(count.load(Relaxed) + 1, Relaxed);
                        lock.unlock();
                    }
                });
            }
        });
        let count = count.into_inner();
        require(count == 60_000, &format!("of 60000 increments under the lock {count} are there"));
    }
);

fn pause(milliseconds: u64) {
    judge::exercise::pause(Duration::from_millis(milliseconds));
}
