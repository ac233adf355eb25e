//! Who sleeps is woken. No sleep relies on it, each ends by itself after 10 ms or more; so what is lost with a wake-up is
//! time, and no other test sees that. A few of many tries must be quick: a busy machine makes some of them slow, a wake-up
//! that is lost nearly all of them.

use std::sync::{Barrier, mpsc};
use std::time::{Duration, Instant};
use std::{fs, thread};

use ipc::{Event, Getter, Queue, RecvError, Semaphore};

/// Nobody who was not woken is back so soon.
const PROMPT: Duration = Duration::from_millis(8);

/// Tries until ten rounds were prompt.
#[track_caller]
fn promptly(round: impl FnMut(()) -> Duration) {
    let rounds = [(); 400].into_iter().map(round).filter(|took| *took < PROMPT);
    assert_eq!(rounds.take(10).count(), 10, "of 400 rounds: some are not woken");
}

/// Lets threads wait until all of them sleep, wakes them, and says how long the slowest wait took.
fn round<S: Sync>(shared: &S, waits: &[fn(&S)], wake: impl FnOnce()) -> Duration {
    thread::scope(|scope| {
        let mut waiters = Vec::new();
        // One after another: who sleeps first is woken first.
        for wait in waits {
            let (tell, told) = mpsc::channel();
            waiters.push(scope.spawn(move || {
                // SAFETY: it has no obligations.
                tell.send(unsafe { libc::gettid() }).expect("it is waited for");
                let start = Instant::now();
                wait(shared);
                start.elapsed()
            }));
            until_asleep(told.recv().expect("it tells"));
        }
        wake();
        waiters.into_iter().map(|it| it.join().expect("no panic")).max().expect("somebody waits")
    })
}

/// Looks until the thread sleeps on a word that processes share, or has ended. (Whatever the standard library sleeps on,
/// and wakes, is private.)
fn until_asleep(thread: i32) {
    let asleep = || {
        let Ok(call) = fs::read_to_string(format!("/proc/self/task/{thread}/syscall")) else {
            return true;
        };
        let mut call = call.split(' ');
        let (number, operation) = (call.next(), call.nth(1));
        let futex = number.and_then(|it| it.parse().ok()) == Some(libc::SYS_futex);
        futex && operation == Some("0x0") // FUTEX_WAIT
    };
    while !asleep() {
        thread::yield_now();
    }
}

#[test]
fn an_event_wakes_all_at_once() {
    let wait: fn(&Event) = Event::wait;
    promptly(|()| {
        let event = Event::new().expect("an event");
        round(&event, &[wait; 3], || event.set())
    });
}

#[test]
fn messages_wake_who_gets() {
    let get: fn(&Queue<u8>) = |queue| assert!(queue.get().is_ok());
    promptly(|()| {
        let queue = Queue::new(16).expect("a queue");
        round(&queue, &[get; 2], || {
            [1, 2].iter().for_each(|number| queue.put(number).expect("there is room"));
        })
    });
}

#[test]
fn room_wakes_also_who_needs_less_than_the_first_one() {
    let large: fn(&Queue<()>) = |queue| queue.put_bytes(&[1; 44]).expect("somebody gets");
    let small: fn(&Queue<()>) = |queue| queue.put_bytes(&[1; 4]).expect("somebody gets");
    promptly(|()| {
        let queue = Queue::with_room(16, 64).expect("a queue");
        [(); 2].iter().for_each(|()| queue.put_bytes(&[0; 28]).expect("there is room"));
        round(&queue, &[large, small], || {
            let mut into = Vec::new();
            [(); 2].iter().for_each(|()| queue.get_bytes(&mut into).expect("two are there"));
        })
    });
}

#[test]
fn the_last_one_that_is_done_wakes_who_joins() {
    let join: fn(&Queue<u8>) = |queue| queue.join().expect("it is done");
    promptly(|()| {
        let queue = Queue::new(16).expect("a queue");
        queue.put(&1).expect("there is room");
        assert_eq!(queue.get().ok(), Some(1));
        round(&queue, &[join; 2], || queue.task_done().expect("one was got"))
    });
}

#[test]
fn permits_wake_who_wants_one() {
    let hold: fn(&(Semaphore, Barrier)) = |(semaphore, both)| {
        let _permit = semaphore.acquire().expect("in time");
        both.wait();
    };
    promptly(|()| {
        let shared = (Semaphore::new(2).expect("a semaphore"), Barrier::new(2));
        let permits = [(); 2].map(|()| shared.0.acquire().expect("free"));
        round(&shared, &[hold; 2], || drop(permits))
    });
}

#[test]
fn the_end_of_the_last_who_puts_wakes_who_gets() {
    let get: fn(&Getter<u8>) = |end| assert!(matches!(end.get(), Err(RecvError::Closed)));
    promptly(|()| {
        let (putter, end) = Queue::new(16).and_then(Queue::split).expect("a queue");
        round(&end, &[get], || drop(putter))
    });
}
