//! Promises of `Lock`, `Value`, `Array` and `Condition`.

use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use fork::Signal::{SIGKILL, SIGSTOP};
use ipc::{Array, Condition, Event, Lock, LockError, Value, Wait};
use judge::{Judge, check, scenario};

const SOON: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(10);

fn ends_well(child: &fork::Child) -> bool {
    child.wait().expect("its status").success()
}

/// A child that does `work`, tells, and stays until it is killed.
fn stays(work: impl FnOnce(&Event)) -> fork::Child {
    let ready = Event::new().expect("an event");
    let child = fork::fork(|| {
        work(&ready);
        nix::unistd::pause();
        0
    })
    .expect("a child");
    ready.wait();
    child
}

fn kill(child: &fork::Child) {
    child.signal(SIGKILL).expect("ours");
    child.wait().expect("its status");
}

scenario!(
    fn counts_under_a_lock() {
        let (lock, counts) =
            (Lock::new().expect("a lock"), ipc::SharedMemory::new(8).expect("memory"));
        let count = || {
            for _ in 0..20_000 {
                let _guard = lock.lock().expect("nobody dies");
                counts[0].store(counts[0].load(SeqCst) + 1, SeqCst);
            }
            0
        };
        let children = [(); 3].map(|()| fork::fork(count).expect("a child"));
        thread::scope(|scope| {
            scope.spawn(count);
            scope.spawn(count);
        });
        let all = children.iter().all(ends_well);
        check("count", all && counts[0].load(SeqCst) == 100_000, "no count is lost");
    }
);

#[test]
fn only_one_thread_of_one_process_has_the_lock_at_a_time() {
    Judge::scenario(&counts_under_a_lock).declare(["count"]).run().assert_clean();
}

scenario!(
    fn an_owner_is_killed() {
        let lock = Lock::new().expect("a lock");
        let child = stays(|ready| {
            let guard = lock.lock().expect("open");
            ready.set();
            nix::unistd::pause();
            drop(guard);
        });
        check("held", lock.try_lock().is_err(), "it is held");
        let late = lock.lock_within(SOON).err() == Some(LockError::TimedOut);
        check("late", late, "a limit ends the wait");
        child.signal(SIGSTOP).expect("ours");
        let stopped = lock.lock_within(SOON).err() == Some(LockError::TimedOut);
        check("stopped", stopped, "one that is stopped has not died");
        let told = thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let start = Instant::now();
                (lock.lock().map(|guard| guard.former_owner_died()), start.elapsed())
            });
            thread::yield_now();
            child.signal(SIGKILL).expect("ours");
            waiting.join().expect("no panic")
        });
        check("told", told.0 == Ok(true) && told.1 < LONG, "the next owner is told");
        let again = lock.lock().map(|guard| guard.former_owner_died());
        check("once", again == Ok(false), "and the one after it is told nothing");
        child.wait().expect("its status");

        let child = fork::fork(|| {
            let guard = lock.lock().expect("open");
            let _never_dropped = std::mem::ManuallyDrop::new(guard);
            0
        });
        ends_well(&child.expect("a child"));
        let told = lock.try_lock().map(|guard| guard.former_owner_died());
        check(
            "ended",
            told == Ok(true),
            "an owner that ended without opening it is a dead one, too",
        );
    }
);

#[test]
fn the_next_owner_of_a_lock_is_told_that_the_former_one_was_killed() {
    Judge::scenario(&an_owner_is_killed)
        .declare(["held", "late", "stopped", "told", "once", "ended"])
        .run()
        .assert_clean();
}

#[test]
fn taking_a_lock_twice_in_one_thread_is_an_error_and_no_hang() {
    let lock = Lock::new().expect("a lock");
    let guard = lock.lock().expect("open");
    assert_eq!(lock.lock().err(), Some(LockError::HeldHere));
    assert_eq!(lock.lock_within(LONG).err(), Some(LockError::HeldHere));
    assert!(lock.try_lock().is_err());
    drop(guard);
    assert!(!lock.try_lock().expect("open").former_owner_died());
}

scenario!(
    fn forks_with_a_guard() {
        let lock = Lock::new().expect("a lock");
        let guard = lock.lock().expect("open");
        let child = fork::fork(|| {
            let held = lock.try_lock().is_err();
            i32::from(!held)
        });
        check("child", ends_well(&child.expect("a child")), "the child does not own it");
        let moved = &guard;
        let child = fork::fork(|| {
            // SAFETY: a copy of the guard, as a child has one of everything; it is dropped in the child
            // alone, where it is not the owner's.
            drop(unsafe { std::ptr::read(moved) });
            0
        });
        let ended = ends_well(&child.expect("a child"));
        let held = thread::scope(|scope| scope.spawn(|| lock.try_lock().is_err()).join());
        check(
            "parent",
            ended && held.expect("no panic"),
            "a child's copy of the guard opens nothing",
        );
        drop(guard);
        check("open", lock.try_lock().is_ok(), "the owner's does");
    }
);

#[test]
fn a_guard_that_a_fork_copied_opens_nothing() {
    Judge::scenario(&forks_with_a_guard).declare(["child", "parent", "open"]).run().assert_clean();
}

#[test]
fn a_forgotten_guard_harms_no_other_lock() {
    // Its memory must not go, as the C library's list of locks leads through it.
    thread::spawn(|| {
        for _ in 0..100 {
            let (forgotten, other) = (Lock::new().expect("a lock"), Lock::new().expect("a lock"));
            let _never_dropped = std::mem::ManuallyDrop::new(forgotten.lock().expect("open"));
            drop(forgotten);
            drop(other.lock().expect("open"));
        }
    })
    .join()
    .expect("no panic");
}

scenario!(
    fn dies_in_the_middle_of_a_change() {
        let array = Array::new(&[50_i64, 50]).expect("an array");
        let child = stays(|ready| {
            let mut array = array.lock().expect("open");
            array[0] -= 20;
            ready.set();
            nix::unistd::pause();
        });
        kill(&child);
        let mut guard = array.lock().expect("open");
        check("told", guard.former_owner_died(), "who comes next is told");
        check("seen", *guard == [30, 50], "and sees what there is");
        guard[0] = 50;
        drop(guard);
        let value = Value::new(0_u64).expect("a value");
        let add = || i32::from((0..10_000).any(|_| value.update(|value| *value += 1).is_err()));
        let children = [(); 3].map(|()| fork::fork(add).expect("a child"));
        let all = children.iter().all(ends_well);
        check(
            "value",
            all && value.get() == Ok(30_000),
            "updates of several processes are all there",
        );
    }
);

#[test]
fn a_value_is_changed_by_one_process_at_a_time_and_a_half_done_change_is_told() {
    Judge::scenario(&dies_in_the_middle_of_a_change)
        .declare(["told", "seen", "value"])
        .run()
        .assert_clean();
}

scenario!(
    fn a_waiter_is_killed() {
        let (value, condition) =
            (Value::new(0_u32).expect("a value"), Condition::new().expect("one"));
        let wait = || {
            let guard = value.lock().expect("nobody dies with it");
            let guard = condition.wait_while(guard, |value| *value == 0);
            i32::from(guard.is_err())
        };
        let victims = [(); 3].map(|()| fork::fork(wait).expect("a child"));
        let survivor = fork::fork(wait).expect("a child");
        for child in victims.iter().chain([&survivor]) {
            until_asleep(child.pid());
        }
        victims.iter().for_each(kill);
        let start = Instant::now();
        condition.notify_all();
        let blocked = start.elapsed();
        check("quick", blocked < LONG, "notify_all does not wait for the dead");
        value.update(|value| *value = 1).expect("nobody died with it");
        condition.notify_one();
        check("survivor", ends_well(&survivor), "and the living are woken");

        let guard = value.lock().expect("nobody died with it");
        let late = condition.wait_while_within(guard, SOON, |_| true).err();
        check("late", late == Some(LockError::TimedOut), "a limit ends the wait");
        let guard = value.lock().expect("nobody died with it");
        let sentinel = survivor.sentinel().expect("ours");
        let ended =
            condition.wait_while_within(guard, Wait::forever().while_alive(sentinel), |_| true);
        check("peer", ended.err() == Some(LockError::PeerEnded), "and the end of a process");
    }
);

/// Waits until the process, or thread, sleeps.
fn until_asleep(pid: i32) {
    let sleeps = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
    };
    while !sleeps() {
        thread::yield_now();
    }
}

#[test]
fn notify_all_with_dead_waiters_does_not_block() {
    Judge::scenario(&a_waiter_is_killed)
        .declare(["quick", "survivor", "late", "peer"])
        .run()
        .assert_clean();
}

#[test]
fn a_wait_with_a_limit_goes_on_after_its_first_nap() {
    let lock = Lock::new().expect("a lock");
    let guard = lock.lock().expect("open");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| lock.lock_within(LONG).map(drop));
        // A pause is the subject: longer than some naps, and much shorter than the limit.
        thread::park_timeout(Duration::from_millis(100));
        drop(guard);
        assert_eq!(waiter.join().expect("no panic"), Ok(()));
    });
}

scenario!(
    fn an_owner_is_killed_while_another_one_waits_for_a_change() {
        let (value, changed) =
            (Value::new(0_u32).expect("a value"), Condition::new().expect("one"));
        let looked = Event::new().expect("an event");
        let waiter = fork::fork(|| {
            let guard = value.lock().expect("open");
            let wait = changed.wait_while(guard, |value| {
                if *value == 1 {
                    looked.set();
                }
                *value < 2
            });
            i32::from(!wait.expect("no limit").former_owner_died())
        });
        let waiter = waiter.expect("a child");
        kill(&stays(|ready| {
            let mut guard = value.lock().expect("open");
            *guard = 1;
            ready.set();
            nix::unistd::pause();
        }));
        changed.notify_all();
        // It has been told, and waits on.
        looked.wait();
        value.update(|value| *value = 2).expect("open");
        changed.notify_all();
        check("told", ends_well(&waiter), "it is told in the end, too");
    }
);

#[test]
fn a_wait_for_a_change_tells_of_an_owner_that_died_on_the_way() {
    let scenario = &an_owner_is_killed_while_another_one_waits_for_a_change;
    Judge::scenario(scenario).declare(["told"]).run().assert_clean();
}

#[test]
fn a_condition_passes_the_ball() {
    let (turn, changed) = (Value::new(0_u32).expect("a value"), Condition::new().expect("one"));
    thread::scope(|scope| {
        for me in 0..2 {
            let (turn, changed) = (&turn, &changed);
            scope.spawn(move || {
                for _ in 0..1000 {
                    let guard = turn.lock().expect("open");
                    let mut guard =
                        changed.wait_while(guard, |turn| *turn % 2 != me).expect("open");
                    *guard += 1;
                    drop(guard);
                    changed.notify_one();
                }
            });
        }
    });
    assert_eq!(turn.get(), Ok(2000));
}
