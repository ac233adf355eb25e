//! Promises of `Event` and `Semaphore`, and of who waits at a queue.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use fork::Signal::SIGKILL;
use ipc::{Event, LockError, Queue, RecvError, Semaphore, Wait};
use judge::{Judge, check, scenario};

const SOON: Duration = Duration::from_millis(20);

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
fn an_event_wakes_all_who_wait_even_if_it_is_cleared_at_once() {
    let event = &Event::new().expect("an event");
    assert_eq!(event.wait_within(SOON), Err(LockError::TimedOut));
    thread::scope(|scope| {
        let tids = [const { AtomicU32::new(0) }; 3];
        let tids = std::sync::Arc::new(tids);
        let threads: Vec<_> = (0..3)
            .map(|index| {
                let tids = tids.clone();
                scope.spawn(move || {
                    tids[index].store(nix::unistd::gettid().as_raw().cast_unsigned(), SeqCst);
                    event.wait();
                })
            })
            .collect();
        for tid in tids.iter() {
            while tid.load(SeqCst) == 0 {
                thread::yield_now();
            }
            // In its wait: one who comes later sees it clear, and rightly waits on.
            until_asleep(tid.load(SeqCst).cast_signed());
        }
        event.set();
        event.clear();
        for thread in threads {
            thread.join().expect("no panic");
        }
    });
    assert!(!event.is_set());
    event.set();
    event.set();
    event.wait();
    assert!(event.is_set());
    event.clear();
    event.clear();
    assert!(!event.is_set());
}

scenario!(
    fn waits_for_an_event_of_a_dead_process() {
        let event = Event::new().expect("an event");
        let child = stays(|ready| ready.set());
        let sentinel = child.sentinel().expect("ours");
        let wait = Wait::forever().while_alive(sentinel);
        let told = thread::scope(|scope| {
            let waiting = scope.spawn(|| event.wait_within(wait));
            child.signal(SIGKILL).expect("ours");
            waiting.join().expect("no panic")
        });
        check("told", told == Err(LockError::PeerEnded), "the wait ends with the process");
        child.wait().expect("its status");
    }
);

#[test]
fn a_wait_for_an_event_ends_with_the_process_that_it_watches() {
    Judge::scenario(&waits_for_an_event_of_a_dead_process).declare(["told"]).run().assert_clean();
}

scenario!(
    fn holders_come_and_die() {
        let semaphore = Semaphore::new(2).expect("a semaphore");
        let inside = ipc::SharedMemory::new(16).expect("memory");
        let work = || {
            for _ in 0..2000 {
                let _permit = semaphore.acquire().expect("a permit");
                let now = inside[0].fetch_add(1, SeqCst) + 1;
                inside[1].fetch_max(now, SeqCst);
                thread::yield_now();
                inside[0].fetch_sub(1, SeqCst);
            }
            0
        };
        let children = [(); 4].map(|()| fork::fork(work).expect("a child"));
        let all = children.iter().all(ends_well);
        check("most", all && inside[1].load(SeqCst) <= 2, "never more than there are permits");

        let holder = stays(|ready| {
            let permits = [semaphore.acquire(), semaphore.acquire()];
            ready.set();
            nix::unistd::pause();
            drop(permits);
        });
        check("none", semaphore.try_acquire().is_err(), "none is left");
        let told = thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let both = [semaphore.acquire(), semaphore.acquire()];
                both.map(|permit| permit.is_ok_and(|permit| permit.former_holder_died()))
            });
            thread::yield_now();
            holder.signal(SIGKILL).expect("ours");
            waiting.join().expect("no panic")
        });
        check("told", told == [true, true], "a dead holder's permits are free, and that is told");
        holder.wait().expect("its status");
        let both = [semaphore.try_acquire(), semaphore.try_acquire()];
        let none = both.map(|permit| permit.is_ok_and(|permit| !permit.former_holder_died()));
        check("once", none == [true, true], "and told once");
    }
);

#[test]
fn a_dead_holders_permit_is_free_again() {
    Judge::scenario(&holders_come_and_die)
        .declare(["most", "none", "told", "once"])
        .run()
        .assert_clean();
}

#[test]
fn a_semaphore_gives_as_many_permits_as_it_has() {
    let semaphore = Semaphore::new(3).expect("a semaphore");
    let three: Vec<_> = (0..3).map(|_| semaphore.acquire().expect("free")).collect();
    assert_eq!(semaphore.acquire_within(SOON).err(), Some(LockError::TimedOut));
    drop(three);
    assert!(semaphore.try_acquire().is_ok());
    let code = |permits| Semaphore::new(permits).expect_err("refused").raw_os_error();
    assert_eq!((code(0), code(1025)), (Some(libc::EINVAL), Some(libc::EINVAL)));
}

#[test]
fn who_sleeps_at_a_queue_is_woken_when_the_last_other_end_is_dropped() {
    // Without the wake-up a sleeper finds out by itself, within its nap, which has become a quarter of
    // a second by then. One drop in five that is faster than any of that is enough: the machine may
    // be slow, but not by chance that fast.
    let told = |_| {
        let (putter, getter) = Queue::<u64>::new(1).and_then(Queue::split).expect("a queue");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| (getter.get(), Instant::now()));
            #[expect(
                clippy::disallowed_methods,
                reason = "it is to be in the longest of its naps"
            )]
            thread::sleep(Duration::from_millis(340));
            let dropped = Instant::now();
            drop(putter);
            let (result, at) = waiting.join().expect("no panic");
            assert!(matches!(result, Err(RecvError::Closed)));
            at - dropped
        })
    };
    assert!((0..5).map(told).any(|took| took < Duration::from_millis(60)));
}
