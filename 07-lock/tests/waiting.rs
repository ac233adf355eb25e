//! Promises of `Condvar`, `Event`, `Barrier`, `Semaphore` and `RwLock`.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use lock::{Barrier, BrokenBarrier, Condvar, Event, Mutex, OverRelease, RwLock, Semaphore};
use support::Thread;

const SOON: Duration = Duration::from_millis(30);
const LONG: Duration = Duration::from_secs(600);

type Pair = Arc<(Mutex<u32>, Condvar)>;

/// Threads that wait for a notification, and then say their number.
fn waiters(pair: &Pair, count: usize) -> (Vec<Thread<()>>, mpsc::Receiver<usize>) {
    let (tell, told) = mpsc::channel();
    let start = |number| {
        let (pair, tell) = (Arc::clone(pair), tell.clone());
        Thread::asleep(move || {
            let mut guard = pair.0.lock();
            pair.1.wait(&mut guard);
            tell.send(number).expect("somebody counts");
        })
    };
    ((0..count).map(start).collect(), told)
}

#[test]
fn notify_n_wakes_exactly_n_and_those_who_waited_longest() {
    let pair = Pair::default();
    let (threads, told) = waiters(&pair, 6);
    let mut woken = 0;
    for (n, expected) in [(0, 0), (1, 1), (2, 2), (1, 1), (9, 2), (1, 0)] {
        assert_eq!(pair.1.notify(n), expected);
        let mut who: Vec<_> = told.iter().take(expected).collect();
        who.sort_unstable();
        assert_eq!(who, Vec::from_iter(woken..woken + expected));
        woken += expected;
        // The others sleep on: they are still asleep, and none has spoken.
        threads[woken..].iter().for_each(Thread::until_asleep);
        assert!(told.try_recv().is_err());
    }
    threads.into_iter().for_each(Thread::join);
}

#[test]
fn notify_all_wakes_all_and_nobody_who_comes_later() {
    let pair = Pair::default();
    let (threads, told) = waiters(&pair, 5);
    assert_eq!(pair.1.notify_all(), 5);
    assert_eq!(told.iter().take(5).count(), 5);
    threads.into_iter().for_each(Thread::join);
    let (later, told) = waiters(&pair, 1);
    assert!(told.try_recv().is_err());
    pair.1.notify(1);
    later.into_iter().for_each(Thread::join);
}

#[test]
fn a_notification_is_for_one_who_still_waits() {
    let pair = Pair::default();
    let (first, told) = waiters(&pair, 1);
    {
        // Comes second, and gives up.
        let mut guard = pair.0.lock();
        assert!(!pair.1.wait_timeout(&mut guard, SOON));
    }
    assert_eq!((pair.1.notify(2), told.recv()), (1, Ok(0)));
    first.into_iter().for_each(Thread::join);
}

#[test]
fn wait_for_returns_when_the_condition_holds_or_the_time_is_up() {
    let pair = Pair::default();
    let mut count = pair.0.lock();
    let start = Instant::now();
    assert!(!pair.1.wait_for_timeout(&mut count, SOON, |count| *count == 3));
    assert!(start.elapsed() >= SOON);
    assert!(pair.1.wait_for_timeout(&mut count, Duration::ZERO, |count| *count == 0));
    drop(count);
    let other = Arc::clone(&pair);
    let waiter = Thread::asleep(move || {
        let mut count = other.0.lock();
        other.1.wait_for_timeout(&mut count, LONG, |count| *count == 3)
    });
    for _ in 0..3 {
        *pair.0.lock() += 1;
        pair.1.notify_all();
    }
    assert!(waiter.join());
}

#[test]
fn event_waiters_wake_even_if_it_is_cleared_at_once() {
    for _ in 0..20 {
        let event = Arc::new(Event::new());
        let threads: Vec<_> = (0..5)
            .map(|_| {
                let event = Arc::clone(&event);
                Thread::asleep(move || event.wait_timeout(LONG))
            })
            .collect();
        event.set();
        event.clear();
        assert!(threads.into_iter().all(Thread::join));
        assert!(!event.is_set());
    }
}

#[test]
fn an_event_stays_set_until_it_is_cleared() {
    let event = Event::new();
    assert!(!event.is_set() && !event.wait_timeout(SOON));
    event.set();
    event.set();
    event.wait();
    assert!(event.is_set() && event.wait_timeout(Duration::ZERO));
    event.clear();
    event.clear();
    assert!(!event.is_set() && !event.wait_timeout(Duration::ZERO));
}

#[test]
fn a_semaphore_lets_in_so_many_and_no_more() {
    let semaphore = Arc::new(Semaphore::new(3));
    let inside = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let (semaphore, inside) = (Arc::clone(&semaphore), Arc::clone(&inside));
            Thread::start(move || {
                for _ in 0..2_000 {
                    let _permit = semaphore.acquire();
                    assert!(inside.fetch_add(1, Relaxed) < 3);
                    inside.fetch_sub(1, Relaxed);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(Thread::join);
    assert_eq!(semaphore.permits(), 3);
}

#[test]
fn a_bounded_semaphore_refuses_one_release_too_many() {
    let bounded = Semaphore::bounded(2);
    assert_eq!(bounded.release(1), Err(OverRelease { had: 2, released: 1, bound: 2 }));
    bounded.acquire().forget();
    assert_eq!(bounded.release(2), Err(OverRelease { had: 1, released: 2, bound: 2 }));
    assert_eq!((bounded.release(1), bounded.permits()), (Ok(()), 2));
    let free = Semaphore::new(2);
    assert_eq!((free.release(3), free.permits()), (Ok(()), 5));
    assert!(free.release(u32::MAX).is_err() && free.release(Semaphore::MAX).is_err());
    assert_eq!((free.release(0), free.permits()), (Ok(()), 5));
}

#[test]
fn released_permits_wake_as_many_sleepers() {
    let semaphore = Arc::new(Semaphore::new(0));
    assert!(semaphore.try_acquire().is_none());
    let start = Instant::now();
    assert!(semaphore.acquire_timeout(SOON).is_none() && start.elapsed() >= SOON);
    let mut threads: Vec<_> = (0..6)
        .map(|_| {
            let semaphore = Arc::clone(&semaphore);
            Thread::asleep(move || semaphore.acquire().forget())
        })
        .collect();
    for n in [1, 3, 2] {
        semaphore.release(n).expect("it has no bound");
        for _ in 0..n {
            while !threads.iter().any(Thread::has_ended) {
                std::thread::yield_now();
            }
            let ended = threads.iter().position(Thread::has_ended).expect("just seen");
            threads.remove(ended).join();
        }
        threads.iter().for_each(Thread::until_asleep);
        assert_eq!(semaphore.permits(), 0);
    }
}

#[test]
fn a_barrier_gives_each_a_place_and_runs_its_action_once_in_a_thousand_passes() {
    let actions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&actions);
    let barrier = Arc::new(Barrier::with_action(4, move || {
        counted.fetch_add(1, Relaxed);
    }));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (barrier, actions) = (Arc::clone(&barrier), Arc::clone(&actions));
            Thread::start(move || {
                let pass = |pass: usize| {
                    let place = barrier.wait().expect("whole");
                    // Before it let anyone go, and not again before all are there again.
                    assert_eq!(actions.load(Relaxed), 2 * pass + 1);
                    barrier.wait().expect("whole");
                    place
                };
                (0..500_usize).map(pass).collect::<Vec<_>>()
            })
        })
        .collect();
    let places: Vec<_> = threads.into_iter().map(Thread::join).collect();
    for pass in 0..500 {
        let mut places: Vec<_> = places.iter().map(|thread| thread[pass]).collect();
        places.sort_unstable();
        assert_eq!(places, [0, 1, 2, 3]);
    }
    assert_eq!(actions.load(Relaxed), 1_000);
}

fn wait_in(barrier: &Arc<Barrier>) -> Thread<Result<usize, BrokenBarrier>> {
    let barrier = Arc::clone(barrier);
    Thread::asleep(move || barrier.wait())
}

#[test]
fn abort_breaks_a_barrier_for_all_until_a_reset() {
    let barrier = Arc::new(Barrier::new(3));
    let waiting = [wait_in(&barrier), wait_in(&barrier)];
    assert_eq!((barrier.waiting(), barrier.parties()), (2, 3));
    barrier.abort();
    assert!(waiting.into_iter().all(|thread| thread.join() == Err(BrokenBarrier)));
    assert!(barrier.is_broken());
    assert_eq!(barrier.wait(), Err(BrokenBarrier));
    barrier.reset();
    assert!(!barrier.is_broken());
    let two = [wait_in(&barrier), wait_in(&barrier)];
    assert_eq!(barrier.wait(), Ok(2));
    assert_eq!(two.map(Thread::join), [Ok(0), Ok(1)]);
}

#[test]
fn reset_sends_away_who_waits_and_begins_anew() {
    let barrier = Arc::new(Barrier::new(2));
    let waiting = wait_in(&barrier);
    barrier.reset();
    assert_eq!(waiting.join(), Err(BrokenBarrier));
    assert!(!barrier.is_broken());
    let next = wait_in(&barrier);
    assert_eq!((barrier.wait(), next.join()), (Ok(1), Ok(0)));
}

#[test]
fn one_timeout_breaks_a_barrier_for_all() {
    let barrier = Arc::new(Barrier::new(3));
    let waiting = wait_in(&barrier);
    let start = Instant::now();
    assert_eq!(barrier.wait_timeout(SOON), Err(BrokenBarrier));
    assert!(start.elapsed() >= SOON);
    assert_eq!((waiting.join(), barrier.is_broken()), (Err(BrokenBarrier), true));
}

#[test]
fn an_action_that_panics_breaks_a_barrier() {
    let barrier = Arc::new(Barrier::with_action(2, || panic!("no action today")));
    let waiting = wait_in(&barrier);
    let last = Arc::clone(&barrier);
    assert_eq!(Thread::start(move || last.wait()).join_panicked(), "no action today");
    assert_eq!((waiting.join(), barrier.is_broken()), (Err(BrokenBarrier), true));
}

#[test]
fn readers_share_and_a_writer_is_alone() {
    let lock = RwLock::new(0);
    let (one, two) = (lock.read(), lock.try_read().expect("readers share"));
    assert!(lock.try_write().is_none() && lock.write_timeout(SOON).is_none());
    assert!(lock.try_read().is_some(), "a writer that gave up keeps nobody out");
    drop((one, two));
    let mut writer = lock.write();
    *writer += 1;
    assert!(lock.try_read().is_none() && lock.read_timeout(SOON).is_none());
    assert!(lock.try_write().is_none());
    drop(writer);
    assert_eq!(*lock.read(), 1);
}

#[test]
fn a_waiting_writer_goes_before_later_readers_and_all_have_their_turn() {
    let lock = Arc::new(RwLock::new(0));
    let first = lock.read();
    let other = Arc::clone(&lock);
    let writer = Thread::asleep(move || *other.write() = 1);
    assert!(lock.try_read().is_none());
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let lock = Arc::clone(&lock);
            Thread::asleep(move || *lock.read())
        })
        .collect();
    drop(first);
    writer.join();
    assert!(readers.into_iter().all(|reader| reader.join() == 1));
}
