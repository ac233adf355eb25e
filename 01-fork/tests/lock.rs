//! Promises of `Lock`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use fork::{Lock, fork};
use judge::{Judge, check, scenario};

static LOCK: Lock = Lock::new();

/// Runs `meanwhile` while another thread holds the lock.
fn while_another_thread_holds_it<T>(meanwhile: impl FnOnce() -> T) -> T {
    let (held, done) = (&Barrier::new(2), &Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _guard = LOCK.lock();
            held.wait();
            done.wait();
        });
        held.wait();
        let result = meanwhile();
        done.wait();
        result
    })
}

fn succeeds(child: impl FnOnce() -> bool) -> bool {
    let child = fork(|| i32::from(!child()));
    child.expect("a child").wait().expect("its status").success()
}

scenario!(
    fn another_thread_holds_it() {
        while_another_thread_holds_it(|| {
            let child = succeeds(|| {
                drop(LOCK.lock());
                LOCK.try_lock().is_some()
            });
            check("child", child, "in the child, where its holder is not, it opens and shuts");
            let again = succeeds(|| succeeds(|| LOCK.try_lock().is_some()));
            check("grandchild", again, "in a grandchild too");
            check("parent", LOCK.try_lock().is_none(), "in the parent it is held as before");
        });
        check("after", LOCK.try_lock().is_some(), "until its holder opens it");
    }
);

#[test]
fn a_lock_that_another_thread_held_at_the_fork_is_usable_in_the_child() {
    let judge = Judge::scenario(&another_thread_holds_it);
    judge.declare(["child", "grandchild", "parent", "after"]).run().assert_clean();
}

scenario!(
    fn the_forking_thread_holds_it() {
        let guard = LOCK.lock();
        let child = succeeds(move || {
            let held = LOCK.try_lock().is_none();
            drop(guard);
            held && LOCK.try_lock().is_some()
        });
        check("child", child, "held in the child, until its guard goes");
        check("parent", LOCK.try_lock().is_some(), "open in the parent, where the guard went too");

        let guard = LOCK.lock();
        let refused = succeeds(|| catch_unwind(AssertUnwindSafe(|| drop(LOCK.lock()))).is_err());
        check(
            "refused",
            refused,
            "a guard that stayed with the parent is a panic in the child, no hang",
        );
        let gone = succeeds(|| {
            succeeds(|| thread::spawn(|| LOCK.try_lock().is_none()).join().is_ok_and(|held| held))
        });
        check("still", gone, "that thread is the one that lives on, so it still holds the lock");
        drop(guard);
    }
);

#[test]
fn a_lock_that_the_forking_thread_held_stays_held_by_its_guard() {
    let judge = Judge::scenario(&the_forking_thread_holds_it);
    judge.declare(["child", "parent", "refused", "still"]).run().assert_clean();
}

scenario!(
    fn the_childs_threads_contend() {
        let exclusive = while_another_thread_holds_it(|| succeeds(|| count_to_the_end(&LOCK)));
        check("child", exclusive, "in a child that found it held by nobody who is there");
        check("parent", count_to_the_end(&LOCK), "and in the parent");
    }
);

/// Four threads count with a variable that would lose counts without a lock.
fn count_to_the_end(lock: &Lock) -> bool {
    let count = &AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    let _guard = lock.lock();
                    count.store(count.load(Relaxed) + 1, Relaxed);
                }
            });
        }
    });
    count.load(Relaxed) == 80_000
}

#[test]
fn only_one_thread_holds_the_lock_at_a_time() {
    Judge::scenario(&the_childs_threads_contend).declare(["child", "parent"]).run().assert_clean();
}

#[test]
fn taking_it_twice_in_one_thread_is_a_panic_and_no_hang() {
    let lock = Lock::new();
    let guard = lock.lock();
    let twice = catch_unwind(AssertUnwindSafe(|| drop(lock.lock())));
    let message = *twice.expect_err("it panics").downcast::<&str>().expect("a message");
    assert!(message.contains("this thread holds the lock already"), "{message}");
    assert!(lock.try_lock().is_none());
    drop(guard);
    assert!(lock.try_lock().is_some());
}
