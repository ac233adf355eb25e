//! Whoever waits costs nothing: no tick of a core, and not one wake-up.

mod support;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use judge::{Judge, check, scenario};
use lock::{Barrier, Condvar, Event, Lock, Mutex, Ordered, RLock, RwLock, Semaphore, SleepLock};
use support::Thread;

/// One of each.
struct All {
    sleep: SleepLock<()>,
    mutex: Mutex<()>,
    free: Mutex<()>,
    changed: Condvar,
    written: RwLock<()>,
    read: RwLock<()>,
    semaphore: Semaphore,
    event: Event,
    barrier: Barrier,
    rlock: RLock<()>,
    lock: Lock<()>,
    ordered: Ordered<()>,
}

const LONG: Duration = Duration::from_secs(3600);

scenario!(
    fn waits_in_every_way() {
        let all = Arc::new(All {
            sleep: SleepLock::new(()),
            mutex: Mutex::new(()),
            free: Mutex::new(()),
            changed: Condvar::new(),
            written: RwLock::new(()),
            read: RwLock::new(()),
            semaphore: Semaphore::new(0),
            event: Event::new(),
            barrier: Barrier::new(3),
            rlock: RLock::new(()),
            lock: Lock::new(()),
            ordered: Ordered::new("ordered", ()),
        });
        let held = (
            (all.sleep.lock(), all.mutex.lock(), all.written.write(), all.read.read()),
            (all.rlock.lock(), all.lock.lock(), all.ordered.lock()),
        );
        let ways: [fn(&All); 16] = [
            |all| drop(all.sleep.lock()),
            |all| drop(all.mutex.lock()),
            |all| drop(all.mutex.lock_timeout(LONG)),
            |all| all.changed.wait(&mut all.free.lock()),
            |all| assert!(all.changed.wait_timeout(&mut all.free.lock(), LONG)),
            |all| drop(all.written.read()),
            |all| drop(all.written.write()),
            |all| drop(all.read.write()),
            |all| all.semaphore.acquire().forget(),
            |all| all.event.wait(),
            |all| assert!(all.event.wait_timeout(LONG)),
            |all| _ = all.barrier.wait(),
            |all| _ = all.barrier.wait_timeout(LONG),
            |all| drop(all.rlock.lock()),
            |all| drop(all.lock.lock()),
            |all| drop(all.ordered.lock()),
        ];
        let threads = ways.map(|wait| {
            let all = Arc::clone(&all);
            Thread::asleep(move || wait(&all))
        });
        let before = threads.each_ref().map(Thread::activity);
        // Nothing is to happen, for a while: that takes a clock.
        let _ = Event::new().wait_timeout(Duration::from_millis(300));
        for (number, (thread, before)) in threads.iter().zip(before).enumerate() {
            let idle = thread.activity() == before && thread.is_asleep();
            check(&format!("way {number}"), idle, "it sleeps on, and used no tick");
        }
        drop(held);
        all.changed.notify_all();
        all.semaphore.release(1).expect("it has no bound");
        all.event.set();
        let _ = all.barrier.wait();
        threads.into_iter().for_each(Thread::join);
        check("ended", true, "all of them came back");
    }
);

#[test]
fn a_blocked_thread_uses_no_time_whatever_it_waits_for() {
    let checks = (0..16).map(|number| format!("way {number}")).chain(["ended".to_owned()]);
    Judge::scenario(&waits_in_every_way).declare(checks).run().assert_clean();
}

/// Signals that arrive during a wait change nothing: it neither ends nor loses its deadline.
#[test]
fn a_signal_changes_nothing() {
    Judge::scenario(&is_interrupted).declare(["deadline", "waits", "ended"]).run().assert_clean();
}

static MAIN: OnceLock<i32> = OnceLock::new();

scenario!(
    fn is_interrupted() {
        extern "C" fn nothing(_: i32) {}
        // SAFETY: all zeros is a valid sigaction, with no flag: also not SA_RESTART.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = nothing as *const () as usize;
        // SAFETY: the handler does nothing, which is safe in any place.
        unsafe { libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()) };
        // SAFETY: it has no obligations.
        let main = *MAIN.get_or_init(|| unsafe { libc::gettid() });
        let (event, stop) = (Arc::new(Event::new()), Arc::new(Event::new()));
        let waiter = {
            let event = Arc::clone(&event);
            Thread::asleep(move || event.wait())
        };
        let (me, targets) = (std::process::id(), [main, waiter.id()]);
        let signals = {
            let stop = Arc::clone(&stop);
            Thread::start(move || {
                while !stop.wait_timeout(Duration::from_millis(1)) {
                    for thread in targets {
                        // SAFETY: both threads live until `stop`, and have a handler.
                        unsafe { libc::syscall(libc::SYS_tgkill, me, thread, libc::SIGUSR1) };
                    }
                }
            })
        };
        let start = std::time::Instant::now();
        let mutex = Mutex::new(());
        let held = mutex.lock();
        let timed_out = mutex.lock_timeout(Duration::from_millis(100)).is_none();
        let took = start.elapsed();
        drop(held);
        check("deadline", timed_out && took >= Duration::from_millis(100), "the whole timeout");
        check("waits", !waiter.has_ended(), "the other one waits on");
        stop.set();
        signals.join();
        event.set();
        waiter.join();
        check("ended", true, "and ends when it is told to");
    }
);
