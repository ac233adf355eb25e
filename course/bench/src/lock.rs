//! Lesson 7: locks, semaphores and conditions beside those of the standard library and parking_lot.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use std::thread;

use crate::measure::{Asked, Measure, Outcome, Sides, Unit};

const STD: &str = "std";
const PARKING_LOT: &str = "parking_lot";
/// Each call of a side does so many: a call costs more than a lock.
const MANY: u64 = 1_000;
/// How often each of the two threads of the balance goes there and back.
const TURNS: u64 = 20_000;
const ROUND_TRIPS: u64 = 500;

pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "lock/alone",
        job: "lock and unlock a mutex that nobody else wants",
        unit: Unit::TimeOf("lock"),
        units: MANY,
        // No slower; but it is the same two instructions, so which is ahead is a toss in each run.
        asked: &[Asked::AtMost(1.0, STD)],
        pinned: false,
        sides: alone,
    },
    Measure {
        name: "lock/balance",
        job: "two threads change a balance there and back, under a lock",
        unit: Unit::TimeOf("change"),
        units: 2 * TURNS,
        asked: &[Asked::AtMost(1.0, STD)],
        pinned: false,
        sides: balance,
    },
    Measure {
        name: "lock/semaphore",
        job: "take a permit and give it back",
        unit: Unit::TimeOf("permit"),
        units: MANY,
        asked: &[
            Asked::AtMost(1.0, "std Mutex + Condvar"),
            Asked::AtMost(1.0, "parking_lot Mutex + Condvar"),
        ],
        pinned: false,
        sides: semaphore,
    },
    Measure {
        name: "lock/notify",
        job: "notify a condition that nobody waits for",
        unit: Unit::TimeOf("notify"),
        units: MANY,
        asked: &[Asked::AtMost(1.0, STD)],
        pinned: false,
        sides: notify,
    },
    Measure {
        name: "lock/condvar",
        job: "two threads wake each other with two conditions",
        unit: Unit::TimeOf("round trip"),
        units: ROUND_TRIPS,
        asked: &[Asked::AtMost(1.0, STD)],
        pinned: true,
        sides: condvar,
    },
];

/// Does `once` so many times.
fn many(mut once: impl FnMut()) -> Outcome {
    for _ in 0..MANY {
        once();
    }
    Ok(())
}

fn alone(sides: &mut Sides) -> Outcome {
    let mutex = ::lock::Mutex::new(0_u64);
    sides.ours("lock::Mutex", move || many(|| *black_box(&mutex).lock() += 1));
    let lock = ::lock::Lock::new(0_u64);
    sides.ours("lock::Lock", move || many(|| *black_box(&lock).lock().expect("no panic") += 1));
    let bit = AtomicBool::new(false);
    let mut sum = 0;
    sides.limit("one bit, swap and store", move || {
        many(|| {
            black_box(&bit).swap(true, Acquire);
            sum += 1;
            black_box(&bit).store(false, Release);
        })
    });
    let mutex = std::sync::Mutex::new(0_u64);
    sides.rival(STD, move || many(|| *black_box(&mutex).lock().expect("no panic") += 1));
    let mutex = parking_lot::Mutex::new(0_u64);
    sides.rival(PARKING_LOT, move || many(|| *black_box(&mutex).lock() += 1));
    sides.python(
        "Python threading.Lock",
        "
import threading
lock = threading.Lock()
def run():
    for _ in range(1000):
        lock.acquire()
        lock.release()
",
    );
    Ok(())
}

/// Two threads that each call `change` with their number, over and over.
fn two_threads(change: impl Fn(i64) + Sync) {
    thread::scope(|scope| {
        for n in [5, 8] {
            let change = &change;
            scope.spawn(move || (0..TURNS).for_each(|_| change(n)));
        }
    });
}

fn is_zero(balance: i64) -> Outcome {
    if balance == 0 { Ok(()) } else { Err(format!("the balance is {balance}").into()) }
}

fn balance(sides: &mut Sides) -> Outcome {
    fn change(balance: &mut i64, n: i64) {
        *black_box(&mut *balance) += n;
        *black_box(balance) -= n;
    }
    let mutex = ::lock::Mutex::new(0_i64);
    sides.ours("lock::Mutex", move || {
        two_threads(|n| change(&mut mutex.lock(), n));
        is_zero(*mutex.lock())
    });
    let mutex = std::sync::Mutex::new(0_i64);
    sides.rival(STD, move || {
        two_threads(|n| change(&mut mutex.lock().expect("no panic"), n));
        is_zero(*mutex.lock().expect("no panic"))
    });
    let mutex = parking_lot::Mutex::new(0_i64);
    sides.rival(PARKING_LOT, move || {
        two_threads(|n| change(&mut mutex.lock(), n));
        is_zero(*mutex.lock())
    });
    sides.python(
        "Python threading.Lock",
        "
import threading
lock = threading.Lock()
balance = 0
def change(n):
    global balance
    for _ in range(20000):
        lock.acquire()
        try:
            balance = balance + n
            balance = balance - n
        finally:
            lock.release()
def run():
    threads = [threading.Thread(target=change, args=(n,)) for n in (5, 8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert balance == 0
",
    );
    Ok(())
}

fn semaphore(sides: &mut Sides) -> Outcome {
    let semaphore = ::lock::Semaphore::bounded(2);
    sides.ours("lock::Semaphore", move || many(|| drop(black_box(&semaphore).acquire())));
    let free = (std::sync::Mutex::new(2), std::sync::Condvar::new());
    sides.rival("std Mutex + Condvar", move || {
        many(|| {
            let (permits, changed) = black_box(&free);
            let taken = changed.wait_while(permits.lock().expect("no panic"), |free| *free == 0);
            *taken.expect("no panic") -= 1;
            *permits.lock().expect("no panic") += 1;
            changed.notify_one();
        })
    });
    let free = (parking_lot::Mutex::new(2), parking_lot::Condvar::new());
    sides.rival("parking_lot Mutex + Condvar", move || {
        many(|| {
            let (permits, changed) = black_box(&free);
            let mut taken = permits.lock();
            changed.wait_while(&mut taken, |free| *free == 0);
            *taken -= 1;
            drop(taken);
            *permits.lock() += 1;
            changed.notify_one();
        })
    });
    sides.python(
        "Python threading.Semaphore",
        "
import threading
semaphore = threading.Semaphore(2)
def run():
    for _ in range(1000):
        semaphore.acquire()
        semaphore.release()
",
    );
    Ok(())
}

fn notify(sides: &mut Sides) -> Outcome {
    let condvar = ::lock::Condvar::new();
    sides.ours("lock::Condvar", move || many(|| _ = black_box(&condvar).notify(1)));
    let condvar = std::sync::Condvar::new();
    sides.rival(STD, move || many(|| black_box(&condvar).notify_one()));
    let condvar = parking_lot::Condvar::new();
    sides.rival(PARKING_LOT, move || many(|| _ = black_box(&condvar).notify_one()));
    Ok(())
}

/// Plays: `turn(side)` waits until it is that side's turn, and gives it to the other one.
fn play(turn: impl Fn(bool) + Send + Sync + 'static) -> impl FnMut() -> Outcome {
    let turn = Arc::new(turn);
    move || {
        let others = Arc::clone(&turn);
        let other = thread::spawn(move || (0..ROUND_TRIPS).for_each(|_| others(true)));
        (0..ROUND_TRIPS).for_each(|_| turn(false));
        other.join().map_err(|_| "the other side panicked".into())
    }
}

fn condvar(sides: &mut Sides) -> Outcome {
    let (whose, changed) = (::lock::Mutex::new(false), [(); 2].map(|()| ::lock::Condvar::new()));
    sides.ours(
        "lock::Condvar",
        play(move |side| {
            let mut now = whose.lock();
            changed[usize::from(side)].wait_for(&mut now, |now| *now == side);
            *now = !side;
            drop(now);
            changed[usize::from(!side)].notify(1);
        }),
    );
    let (whose, changed) =
        (std::sync::Mutex::new(false), [(); 2].map(|()| std::sync::Condvar::new()));
    sides.rival(
        STD,
        play(move |side| {
            let now = whose.lock().expect("no panic");
            let now = changed[usize::from(side)].wait_while(now, |now| *now != side);
            *now.expect("no panic") = !side; // and unlocked, as it is given away
            changed[usize::from(!side)].notify_one();
        }),
    );
    let (whose, changed) =
        (parking_lot::Mutex::new(false), [(); 2].map(|()| parking_lot::Condvar::new()));
    sides.rival(
        PARKING_LOT,
        play(move |side| {
            let mut now = whose.lock();
            changed[usize::from(side)].wait_while(&mut now, |now| *now != side);
            *now = !side;
            drop(now);
            changed[usize::from(!side)].notify_one();
        }),
    );
    sides.python(
        "Python threading.Condition",
        "
import threading
lock = threading.Lock()
changed = [threading.Condition(lock), threading.Condition(lock)]
turn = 0
def play(side):
    global turn
    for _ in range(500):
        with lock:
            changed[side].wait_for(lambda: turn == side)
            turn = 1 - side
            changed[1 - side].notify()
def run():
    other = threading.Thread(target=play, args=(1,))
    other.start()
    play(0)
    other.join()
",
    );
    Ok(())
}
