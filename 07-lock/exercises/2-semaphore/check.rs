// What `Semaphore` must do. Waiters are known to sleep before a permit comes back: the kernel says so.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use judge::exercise::{Case, Thread, require};

use super::answer::{Permit, Semaphore};

pub(crate) const CASES: &[Case] = &[
    Case::of(&permits_are_taken_and_given_back).within(LONG).hang(
        "hang: three permits were taken and dropped, and then there was none; Drop of Permit must \
         give it back",
    ),
    Case::of(&a_waiter_is_woken).within(LONG).hang(
        "hang: a permit came back, and the waiter sleeps on; notify in the Drop of Permit, after the \
         count has changed",
    ),
    Case::of(&with_holds_its_permit)
        .within(LONG)
        .hang("hang: f has ended, and the next one does not get its permit"),
    Case::of(&one_permit_one_at_a_time)
        .within(Duration::from_secs(4))
        .hang("hang: a permit went round among four threads, and got lost; was a waiter not woken?")
        .signal(GONE),
    Case::of(&each_permit_reaches_a_waiter).within(LONG).hang(
        "hang: two permits came back for two waiters, and one sleeps on; notify for every permit \
         that comes back, whatever the count was before",
    ),
    Case::of(&a_panic_gives_the_permit_back).within(LONG).hang(
        "hang: f panicked, and its permit never came back; hold it in a guard that f's unwinding \
         drops, not in lines before and after the call",
    ),
];

/// What takes a few milliseconds may take so long on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(3);
const GONE: &str = "a woken waiter took a permit that was gone already: after a wait check the \
                    condition again (while, not if)";

judge::case!(
    fn permits_are_taken_and_given_back() {
        let sem = Semaphore::new(3);
        for _ in 0..10 {
            let _three = [sem.acquire(), sem.acquire(), sem.acquire()];
        }
        require(sem.with(|| 7) == 7, "`with` did not return what f returned");
    }
);

judge::case!(
    fn a_waiter_is_woken() {
        let sem = Semaphore::new(1);
        thread::scope(|s| {
            let permit = sem.acquire();
            let (starts, started) = channel();
            let sem = &sem;
            s.spawn(move || {
                let _ = starts.send(Thread::me());
                drop(sem.acquire());
            });
            let waiter = started.recv().unwrap_or_else(|_| Thread::me());
            waiter.until_asleep();
            let looks = (0..20).map(|_| {
                pause(5);
                waiter.sleeps()
            });
            let asleep = looks.filter(|asleep| *asleep).count();
            require(
                asleep > 10,
                "the waiter burned processor time instead of sleeping: wait on the Condvar while \
                 there is no permit",
            );
            drop(permit);
        });
    }
);

judge::case!(
    fn with_holds_its_permit() {
        let sem = Semaphore::new(1);
        let (entered, enters) = channel();
        thread::scope(|s| {
            sem.with(|| {
                let (starts, started) = channel();
                let sem = &sem;
                s.spawn(move || {
                    let _ = starts.send(());
                    sem.with(|| entered.send(()))
                });
                let _ = started.recv();
                require(
                    enters.recv_timeout(Duration::from_millis(200)).is_err(),
                    "more jobs ran at once than there are permits: `let _ = self.acquire()` drops \
                     the permit at once; bind it as `_permit`",
                );
            });
            require(enters.recv().is_ok(), "the second job did not run");
        });
    }
);

/// From now on a wake-up of this thread takes nobody's processor away: whoever woke it goes on first.
fn be_patient() {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: 0 is the calling thread, and the parameters live until the call returns.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const parameters) };
}

judge::case!(
    fn one_permit_one_at_a_time() {
        let (sem, inside) = (Semaphore::new(1), AtomicUsize::new(0));
        let alone = || {
            // A count that would go below zero is a panic in a debug build.
            let permit = catch_unwind(AssertUnwindSafe(|| sem.acquire()));
            require(permit.is_ok(), GONE);
            require(inside.fetch_add(1, SeqCst) == 0, GONE);
            permit
        };
        let gives_back = |permit: thread::Result<Permit<'_>>| {
            inside.fetch_sub(1, SeqCst);
            drop(permit);
        };
        for _ in 0..10 {
            thread::scope(|s| {
                let permit = alone();
                let (starts, started) = channel();
                let (alone, gives_back) = (&alone, &gives_back);
                s.spawn(move || {
                    be_patient();
                    let _ = starts.send(Thread::me());
                    gives_back(alone());
                });
                let waiter = started.recv().unwrap_or_else(|_| Thread::me());
                waiter.until_asleep();
                // The waiter is woken, and before it gets to look the permit is taken again.
                gives_back(permit);
                let again = alone();
                waiter.until_asleep();
                gives_back(again);
            });
        }
        thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for _ in 0..100 {
                        let permit = alone();
                        thread::yield_now();
                        gives_back(permit);
                    }
                });
            }
        });
    }
);

judge::case!(
    fn each_permit_reaches_a_waiter() {
        for _ in 0..20 {
            let (sem, meet) = (Semaphore::new(2), Barrier::new(2));
            thread::scope(|s| {
                let permits = [sem.acquire(), sem.acquire()];
                let (starts, started) = channel();
                for _ in 0..2 {
                    let (starts, sem, meet) = (starts.clone(), &sem, &meet);
                    s.spawn(move || {
                        be_patient();
                        let _ = starts.send(Thread::me());
                        // Both are here with a permit, or none gets on.
                        sem.with(|| meet.wait());
                    });
                }
                for waiter in started.iter().take(2).collect::<Vec<_>>() {
                    waiter.until_asleep();
                }
                drop(permits);
            });
        }
    }
);

judge::case!(
    fn a_panic_gives_the_permit_back() {
        let sem = Semaphore::new(1);
        let panicked =
            catch_unwind(AssertUnwindSafe(|| sem.with(|| panic!("f panics, on purpose"))));
        require(panicked.is_err(), "f panicked, and `with` kept it to itself");
        require(
            catch_unwind(AssertUnwindSafe(|| sem.with(|| ()))).is_ok(),
            "f panicked, and poisoned your Mutex: let go of its guard before f runs",
        );
    }
);

fn pause(milliseconds: u64) {
    judge::exercise::pause(Duration::from_millis(milliseconds));
}
