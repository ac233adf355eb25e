//! Promises of `RLock`, `Lock` and `Ordered`.

mod support;

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lock::{Lock, LockError, Ordered, RLock};
use support::Thread;

const SOON: Duration = Duration::from_millis(30);

#[test]
fn an_rlock_counts_how_often_its_holder_took_it() {
    let lock = Arc::new(RLock::new(Cell::new(0)));
    assert_eq!(lock.depth(), 0);
    let outer = lock.lock();
    let middle = lock.try_lock().expect("mine");
    let inner = lock.lock_timeout(Duration::ZERO).expect("mine");
    inner.set(5);
    assert_eq!((outer.get(), lock.depth()), (5, 3));

    let others = |lock: &Arc<RLock<Cell<i32>>>| {
        let lock = Arc::clone(lock);
        Thread::start(move || (lock.depth(), lock.try_lock().map(|value| value.get()))).join()
    };
    // Out of order: the count says when it opens, not which guard is the first.
    drop(outer);
    drop(inner);
    assert_eq!((others(&lock), lock.depth()), ((0, None), 1));
    drop(middle);
    assert_eq!((others(&lock), lock.depth()), ((0, Some(5)), 0));
}

#[test]
fn an_rlock_keeps_others_waiting_until_its_last_guard_goes() {
    let lock = Arc::new(RLock::new(Cell::new(0)));
    let two = (lock.lock(), lock.lock());
    let other = Arc::clone(&lock);
    let impatient = Thread::start(move || {
        let start = Instant::now();
        (other.lock_timeout(SOON).is_none(), start.elapsed() >= SOON)
    });
    assert_eq!(impatient.join(), (true, true));
    let other = Arc::clone(&lock);
    let waiter = Thread::asleep(move || {
        let (one, two) = (other.lock(), other.lock());
        one.set(two.get() + 1);
        other.depth()
    });
    drop(two.0);
    waiter.until_asleep();
    assert_eq!(two.1.get(), 0);
    drop(two.1);
    assert_eq!(waiter.join(), 2);
    assert_eq!((lock.depth(), lock.lock().get()), (0, 1));
}

#[test]
fn an_rlock_is_exclusive_among_many() {
    let lock = Arc::new(RLock::new(Cell::new(0)));
    let threads = [(); 4].map(|()| {
        let lock = Arc::clone(&lock);
        Thread::start(move || {
            for _ in 0..10_000 {
                let (outer, inner) = (lock.lock(), lock.lock());
                outer.set(inner.get() + 1);
            }
        })
    });
    threads.into_iter().for_each(Thread::join);
    assert_eq!(lock.lock().get(), 40_000);
}

#[test]
fn an_rlock_shown_for_debugging_is_not_read_without_being_held() {
    let lock = RLock::new(Cell::new(7));
    assert_eq!(format!("{lock:?}"), "RLock { locked: false, .. }");
    assert_eq!(format!("{:?}", lock.lock()), "Cell { value: 7 }");
}

#[test]
fn a_lock_can_be_tried_and_waited_for_with_a_timeout() {
    let lock = Lock::new(1);
    let guard = lock.lock().expect("free");
    assert!(lock.is_locked());
    assert!(matches!(lock.try_lock(), Err(LockError::Held)));
    let start = Instant::now();
    let error = lock.lock_timeout(SOON).expect_err("held");
    assert!(start.elapsed() >= SOON);
    assert!(error.to_string().starts_with("can't take the lock: another thread holds it"));
    drop(guard);
    *lock.lock_timeout(SOON).expect("free") += 1;
    assert_eq!(*lock.try_lock().expect("free"), 2);
}

#[test]
fn a_contended_lock_goes_to_one_who_waits() {
    let lock = Arc::new(Lock::new(0));
    let guard = lock.lock().expect("free");
    let threads = [(); 3].map(|()| {
        let lock = Arc::clone(&lock);
        Thread::asleep(move || *lock.lock().expect("no panic") += 1)
    });
    drop(guard);
    threads.into_iter().for_each(Thread::join);
    assert_eq!(*lock.lock().expect("no panic"), 3);
}

#[test]
fn a_panic_opens_a_lock_and_poisons_it_with_the_place() {
    let lock = Arc::new(Lock::new([100, 100]));
    let other = Arc::clone(&lock);
    let line = line!() + 2;
    let clerk = Thread::start(move || {
        let mut accounts = other.lock().expect("free");
        accounts[0] = 90;
        panic!("in the middle");
    });
    assert_eq!(clerk.join_panicked(), "in the middle");
    assert!(lock.is_poisoned() && !lock.is_locked());
    let poisoned = lock.lock().expect_err("poisoned");
    assert_eq!((poisoned.taken().file(), poisoned.taken().line()), (file!(), line));
    let place = format!("taken at {}:{line}:", file!());
    assert!(poisoned.to_string().contains(&place), "{poisoned}");
    drop(poisoned);
    assert!(matches!(lock.try_lock(), Err(LockError::Poisoned(_))));
    let again = lock.lock_timeout(SOON);
    let Err(LockError::Poisoned(poisoned)) = again else { panic!("{again:?}") };
    assert_eq!(*poisoned.into_guard(), [90, 100]);
    lock.clear_poison();
    assert!(!lock.is_poisoned() && lock.try_lock().is_ok());
}

#[test]
fn a_lock_taken_while_a_panic_goes_on_is_not_poisoned_by_it() {
    struct Clerk<'a>(&'a Lock<i32>);
    impl Drop for Clerk<'_> {
        fn drop(&mut self) {
            *self.0.lock().expect("nobody panicked while they held it") += 1;
        }
    }
    let lock = Lock::new(0);
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _clerk = Clerk(&lock);
        panic!("outside of the lock");
    }));
    assert!(unwound.is_err());
    assert_eq!(*lock.lock().expect("whole"), 1);
}

#[test]
fn an_order_against_an_earlier_one_is_refused_with_both_places() {
    let (a, b) = (Ordered::new("A", 1), Ordered::new("B", 2));
    let first = line!() + 2;
    let guard = a.lock().expect("the first");
    drop(b.lock().expect("A, then B"));
    drop(guard);
    for _ in 0..2 {
        // Only the order counts, not who is there: the same thread is refused, and again.
        let guard = b.lock().expect("alone");
        let second = line!() + 1;
        let deadlock = a.lock().expect_err("B, then A");
        let circle = format!("A then B at {0}:{first}, B then A at {0}:{second}; ", file!());
        assert!(deadlock.to_string().contains(&circle), "{deadlock}");
        assert_eq!(deadlock.steps().len(), 2);
        drop(guard);
        // Nothing was taken.
        assert!(a.try_lock().is_some());
    }
    // In the known order it goes on, over and over.
    for _ in 0..3 {
        let guard = a.lock().expect("alone");
        assert_eq!((*guard, *b.lock().expect("A, then B")), (1, 2));
    }
}

#[test]
fn a_circle_of_three_is_told_step_by_step() {
    let [a, b, c] = ["A", "B", "C"].map(|name| Ordered::new(name, ()));
    for (held, taken) in [(&a, &b), (&b, &c)] {
        let _held = held.lock().expect("a chain");
        drop(taken.lock().expect("a chain"));
    }
    let _c = c.lock().expect("alone");
    let deadlock = a.lock().expect_err("C, then A");
    let steps: Vec<_> = deadlock.steps().iter().map(|step| (step.held, step.taken)).collect();
    assert_eq!(steps, [("A", "B"), ("B", "C"), ("C", "A")]);
}

#[test]
fn taking_an_ordered_lock_twice_is_refused_and_no_hang() {
    let a = Ordered::new("A", ());
    let _guard = a.lock().expect("free");
    let deadlock = a.lock().expect_err("held by this thread");
    assert!(deadlock.to_string().contains("A then A at "), "{deadlock}");
    assert!(deadlock.to_string().contains("would wait for itself"), "{deadlock}");
}

#[test]
fn a_try_is_allowed_in_any_order_and_seen_by_later_locks() {
    let (a, b) = (Ordered::new("A", ()), Ordered::new("B", ()));
    {
        let _a = a.lock().expect("free");
        drop(b.lock().expect("A, then B"));
    }
    {
        let _b = b.lock().expect("free");
        assert!(a.try_lock().is_some(), "who does not wait closes no circle");
    }
    let _b = b.try_lock().expect("free");
    assert!(a.lock().is_err(), "but a wait under a lock that was tried does");
}

#[test]
fn two_threads_in_opposite_orders_are_told_before_they_are_stuck() {
    for _ in 0..50 {
        let locks = Arc::new([Ordered::new("A", ()), Ordered::new("B", ())]);
        let barrier = Arc::new(std::sync::Barrier::new(2));
        let threads = [[0, 1], [1, 0]].map(|[first, second]| {
            let (locks, barrier) = (Arc::clone(&locks), Arc::clone(&barrier));
            Thread::start(move || {
                let _first = locks[first].lock().expect("alone");
                // Both hold one: without the check both would now wait for ever.
                barrier.wait();
                locks[second].lock().is_err()
            })
        });
        let refused = threads.map(Thread::join);
        assert_eq!(refused.into_iter().filter(|&refused| refused).count(), 1);
    }
}

#[test]
fn a_circle_over_a_lock_that_is_gone_is_none() {
    let (a, c) = (Ordered::new("A", ()), Ordered::new("C", ()));
    {
        let b = Ordered::new("B", ());
        for (held, taken) in [(&a, &b), (&b, &c)] {
            let _held = held.lock().expect("a chain");
            drop(taken.lock().expect("a chain"));
        }
        let _c = c.lock().expect("alone");
        assert!(a.lock().is_err(), "as long as B is there");
    }
    let _c = c.lock().expect("alone");
    assert!(a.lock().is_ok(), "nobody can wait for B any more");
}

#[test]
fn a_new_lock_in_the_place_of_an_old_one_knows_no_order() {
    let a = Ordered::new("A", ());
    for _ in 0..100 {
        // The same place in memory, over and over, in both orders: but never the same lock.
        for this_first in [true, false] {
            let b = Ordered::new("B", ());
            let (first, second) = if this_first { (&a, &b) } else { (&b, &a) };
            let _first = first.lock().expect("free");
            drop(second.lock().expect("a new lock knows no order"));
        }
    }
}
