//! The bell in all schedules that its threads can have, and all values that the memory model lets them
//! read: `.ci/run`, or `RUSTFLAGS="--cfg loom" cargo test -p ipc --test loom --release --target-dir target/loom`.
//!
//! Here a sleep has no end of its own: a sleeper for whom nobody rings is reported as a deadlock.
#![cfg(loom)]
#![expect(dead_code, reason = "what is not a matter of schedules is not called")]

/// Loom's words, and a kernel of its own.
mod futex {
    pub(crate) use loom::sync::atomic::{AtomicU32, fence};
    use std::sync::atomic::Ordering::SeqCst;
    use std::time::Duration;

    loom::lazy_static! {
        static ref SLEEPERS: (loom::sync::Mutex<()>, loom::sync::Condvar) = Default::default();
    }

    /// The kernel looks at the word, and goes to sleep, in one step: under the lock of its list.
    pub(crate) fn futex_wait(word: &AtomicU32, expected: u32, _most: Duration) {
        let list = SLEEPERS.0.lock().expect("no panic");
        if word.load(SeqCst) == expected {
            drop(SLEEPERS.1.wait(list).expect("no panic"));
        }
    }

    pub(crate) fn futex_wake(_word: &AtomicU32, most: i32) {
        let _list = SLEEPERS.0.lock().expect("no panic");
        if most == 1 { SLEEPERS.1.notify_one() } else { SLEEPERS.1.notify_all() }
    }
}

#[path = "../src/bell.rs"]
mod bell;

use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::time::Duration;

use bell::Bell;
use futex::AtomicU32;
use loom::sync::Arc;
use loom::thread;

/// So many things are there.
struct Shelf {
    things: AtomicU32,
    bell: Bell,
}

impl Shelf {
    fn new() -> (Arc<Shelf>, Arc<Shelf>) {
        let shelf = Arc::new(Shelf { things: AtomicU32::new(0), bell: Bell::default() });
        (shelf.clone(), shelf)
    }

    fn put(&self) {
        self.things.fetch_add(1, Release);
        self.bell.ring();
    }

    fn take_now(&self) -> bool {
        let one_less = |things: u32| things.checked_sub(1);
        self.things.fetch_update(AcqRel, Acquire, one_less).is_ok()
    }

    /// As every wait of the library does it, without the naps that would hide a ring that was lost.
    fn take(&self) {
        loop {
            let rings = self.bell.prepare();
            if self.take_now() {
                break;
            }
            self.bell.sleep(rings, Duration::MAX);
        }
        if self.things.load(Acquire) > 0 {
            self.bell.pass_on();
        }
    }
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn a_sleeper_is_woken_for_each_thing_that_is_put() {
    check(|| {
        let (shelf, other) = Shelf::new();
        let taker = thread::spawn(move || (0..2).for_each(|_| other.take()));
        (0..2).for_each(|_| shelf.put());
        taker.join().expect("no panic");
    });
}

#[test]
fn two_sleepers_are_woken_for_two_things() {
    check(|| {
        let (shelf, other) = Shelf::new();
        let third = shelf.clone();
        let first = thread::spawn(move || other.take());
        let second = thread::spawn(move || third.take());
        (0..2).for_each(|_| shelf.put());
        first.join().expect("no panic");
        second.join().expect("no panic");
    });
}

#[test]
fn a_sleeper_is_woken_whoever_puts() {
    check(|| {
        let (shelf, other) = Shelf::new();
        let third = shelf.clone();
        let putter = thread::spawn(move || other.put());
        let second = thread::spawn(move || third.put());
        (0..2).for_each(|_| shelf.take());
        putter.join().expect("no panic");
        second.join().expect("no panic");
    });
}
