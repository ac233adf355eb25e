//! What one thread leaves in shared memory and another one takes, all in one process and one mapping, and nothing of the
//! standard library between the threads but their start and their end: so a race detector can judge it. `.ci/run
//! sanitizer` runs it under ThreadSanitizer.

use std::cell::UnsafeCell;
use std::thread;
use std::time::Duration;

use ipc::{Array, Condition, Event, Queue, Semaphore};

const THREADS: usize = 4;
const ROUNDS: usize = 500;

/// Runs `work` in all threads at once. No scope: its end is out of the detector's sight, a join is not.
fn together(work: impl Fn(usize) + Copy + Send + 'static) {
    let start = |number| thread::spawn(move || work(number));
    let threads: Vec<_> = (0..THREADS).map(start).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

/// For ever, so that no count of owners is between the threads either.
fn forever<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// Memory that anybody touches: that nobody does at the same time is the business of what is tested.
struct Bare(UnsafeCell<usize>);

// SAFETY: not at all by itself: see `get` and `set`.
unsafe impl Sync for Bare {}

impl Bare {
    fn get(&self) -> usize {
        // SAFETY: what is tested lets nobody write meanwhile; that it does so is the test.
        unsafe { *self.0.get() }
    }

    fn set(&self, value: usize) {
        // SAFETY: what is tested lets nobody else in meanwhile; that it does so is the test.
        unsafe { *self.0.get() = value };
    }
}

fn bare() -> &'static Bare {
    forever(Bare(UnsafeCell::new(0)))
}

#[test]
fn a_message_is_whole_before_it_is_got_and_got_before_it_is_written_over() {
    // Hardly two fit in: each is written over others, on both sides of the end.
    let queue = forever(Queue::<()>::with_room(8, 512).expect("memory"));
    together(move |number| {
        let mut message = Vec::new();
        for round in 0..ROUNDS {
            if number % 2 == 0 {
                message.clear();
                message.resize(1 + (round * 31 + number * 7) % 200, round as u8);
                queue.put_bytes(&message).expect("somebody gets");
            } else {
                queue.get_bytes(&mut message).expect("somebody puts");
                assert!(message.iter().all(|byte| *byte == message[0]));
                queue.task_done().expect("one was got");
            }
        }
        queue.join().expect("all are got");
    });
    assert_eq!((queue.ring().len(), queue.ring().crashes()), (0, 0));
}

#[test]
fn a_lock_orders_what_its_owners_do() {
    let counts = forever(Array::new(&[0_usize; 2]).expect("memory"));
    together(move |number| {
        for round in 0..ROUNDS {
            let soon = Duration::from_micros(50);
            let early = if round % 2 == 0 { counts.lock_within(soon).ok() } else { None };
            let mut counts = early.unwrap_or_else(|| counts.lock().expect("nobody died"));
            counts[0] += 1;
            counts[1] += number;
        }
    });
    assert_eq!(*counts.lock().expect("open"), [ROUNDS * THREADS, ROUNDS * 6]);
}

#[test]
fn a_permit_orders_one_holder_after_another() {
    let (semaphore, count) = (forever(Semaphore::new(1).expect("memory")), bare());
    together(move |_| {
        for _ in 0..ROUNDS {
            let _permit = semaphore.acquire().expect("in time");
            count.set(count.get() + 1);
        }
    });
    assert_eq!(count.get(), ROUNDS * THREADS);
}

#[test]
fn who_waits_for_an_event_sees_what_came_before_it() {
    for _ in 0..50 {
        let (event, written) = (forever(Event::new().expect("memory")), bare());
        together(move |number| {
            match number {
                0 => {
                    written.set(7);
                    event.set();
                }
                1 => (),
                _ => event.wait(),
            }
            while !event.is_set() {
                thread::yield_now();
            }
            assert_eq!(written.get(), 7);
        });
    }
}

#[test]
fn who_is_notified_has_the_lock_again() {
    let turn = forever(Array::new(&[0_usize]).expect("memory"));
    let next = forever(Condition::new().expect("memory"));
    together(move |number| {
        for round in 0..ROUNDS / 4 {
            let mine = round * THREADS + number;
            let guard = turn.lock().expect("nobody died");
            let mut guard = next.wait_while(guard, |turn| turn[0] != mine).expect("no limit");
            guard[0] += 1;
            drop(guard);
            next.notify_all();
        }
    });
    assert_eq!(*turn.lock().expect("open"), [ROUNDS / 4 * THREADS]);
}
