//! A signal that arrives during a call changes nothing.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use ipc::{Condition, Event, Lock, Queue, Semaphore, Value, Wait, duplex, pipe};
use judge::{Judge, check, scenario};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn handle(_signal: i32) {
    HANDLED.fetch_add(1, SeqCst);
}

/// Sends signals to the thread that waits while it sleeps, then ends its wait.
fn interrupt<T: Send>(wait: impl FnOnce() -> T + Send, end: impl FnOnce()) -> T {
    let tid = AtomicU32::new(0);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            tid.store(nix::unistd::gettid().as_raw().cast_unsigned(), SeqCst);
            wait()
        });
        for _ in 0..10 {
            until_asleep(&tid);
            let handled = HANDLED.load(SeqCst);
            let (pid, tid) = (std::process::id(), tid.load(SeqCst));
            // SAFETY: the call takes numbers only, and the thread lives until it is joined.
            unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, libc::SIGUSR1) };
            while HANDLED.load(SeqCst) == handled {
                thread::yield_now();
            }
        }
        until_asleep(&tid);
        end();
        waiting.join().expect("no panic")
    })
}

fn until_asleep(tid: &AtomicU32) {
    let asleep = || {
        let path = format!("/proc/self/task/{}/stat", tid.load(SeqCst));
        let stat = std::fs::read_to_string(path).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
    };
    while !asleep() {
        thread::yield_now();
    }
}

scenario!(
    fn signals_at_each_wait() {
        // Without SA_RESTART: each system call that can be interrupted is.
        let action = SigAction::new(SigHandler::Handler(handle), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler counts, with an atomic.
        unsafe { sigaction(Signal::SIGUSR1, &action) }.expect("a handler");

        let queue = Queue::new(1).expect("a queue");
        let got = interrupt(|| queue.get(), || queue.put(&7).expect("room"));
        check("get", got.ok() == Some(7), "a get");
        queue.put(&1).expect("room");
        let put = interrupt(|| queue.put(&2), || drop(queue.get()));
        check("put", put.is_ok() && queue.get().ok() == Some(2), "a put");
        let done = || (0..3).for_each(|_| queue.task_done().expect("was got"));
        check("join", interrupt(|| queue.join(), done).is_ok(), "a join");

        let (here, there) = duplex::<u64, u64>().expect("a pipe");
        let received = interrupt(|| here.recv(), || there.send(&7).expect("sent"));
        check("recv", received.ok() == Some(7), "a recv");
        let wait = || ipc::wait(&[here.fd().expect("ours")], Wait::forever());
        let ready = interrupt(wait, || there.send(&7).expect("sent"));
        check("wait", ready.is_ok_and(|ready| ready == [0]), "a wait for many");
        here.recv().expect("a message");
        let (sender, receiver) = pipe::<()>().expect("a pipe");
        while sender.send_bytes_within(&[0; 10_000], Duration::ZERO).is_ok() {}
        let mut message = Vec::new();
        let mut drain =
            || while receiver.recv_bytes_within(&mut message, Duration::ZERO).is_ok() {};
        check("send", interrupt(|| sender.send_bytes(&[0; 10_000]), &mut drain).is_ok(), "a send");

        let lock = Lock::new().expect("a lock");
        let guard = lock.lock().expect("open");
        let locked =
            interrupt(|| lock.lock().map(|guard| guard.former_owner_died()), || drop(guard));
        check("lock", locked == Ok(false), "a lock");
        let event = Event::new().expect("an event");
        interrupt(|| event.wait(), || event.set());
        check("event", event.is_set(), "an event");
        let semaphore = Semaphore::new(1).expect("a semaphore");
        let permit = semaphore.acquire().expect("free");
        let acquired = interrupt(|| semaphore.acquire().is_ok(), || drop(permit));
        check("semaphore", acquired, "a semaphore");
        let (value, more) = (Value::new(0).expect("a value"), Condition::new().expect("one"));
        let wait = || more.wait_while(value.lock()?, |value| *value == 0).map(|value| *value);
        let waited = interrupt(wait, || {
            value.update(|value| *value = 7).expect("open");
            more.notify_all();
        });
        check("condition", waited == Ok(7), "a condition");

        let (start, limit) = (Instant::now(), Duration::from_millis(100));
        let late = interrupt(|| (queue.get_within(limit).is_err(), start.elapsed()), || ());
        check("limit", late.0 && late.1 >= limit, "a limit stays what it was");
        let start = Instant::now();
        let late = interrupt(|| (here.recv_within(limit).is_err(), start.elapsed()), || ());
        check("limit, pipe", late.0 && late.1 >= limit, "a limit stays what it was");
    }
);

#[test]
fn a_signal_during_any_wait_changes_nothing() {
    let checks = ["get", "put", "join", "recv", "wait", "send", "lock", "event", "semaphore"];
    let more = ["condition", "limit", "limit, pipe"];
    Judge::scenario(&signals_at_each_wait).declare(checks).declare(more).run().assert_clean();
}
