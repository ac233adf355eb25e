//! Everything at once, for a second or for `COURSE_STRESS_SECONDS`, while signals interrupt the
//! threads wherever they are, inside of a lock's own code too, and make them step aside.
//!
//! `COURSE_STRESS_SEED` repeats the choices of a run (not the kernel's).

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, thread};

use judge::{Judge, check, scenario};
use lock::{Barrier, Condvar, Event, Lock, Mutex, RLock, RwLock, Semaphore, SleepLock, SpinLock};

/// Numbers that look random and come again with the seed (xorshift).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    /// Steps aside now and then.
    fn pause(&mut self) {
        match self.roll(8) {
            0 => thread::yield_now(),
            1 => (0..self.roll(200)).for_each(|_| std::hint::spin_loop()),
            _ => {}
        }
    }

    fn moment(&mut self) -> Duration {
        Duration::from_micros(self.roll(300))
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

const WORKERS: usize = 6;

/// What the workers do to one lock, until it is over; how often they had it.
fn workers(seed: u64, end: Instant, work: impl Fn(&mut Dice) + Sync) -> u64 {
    let (over, rounds) = (&AtomicBool::new(false), &AtomicU64::new(0));
    let ids = &[const { AtomicI32::new(0) }; WORKERS];
    thread::scope(|scope| {
        for (worker, id) in ids.iter().enumerate() {
            let work = &work;
            scope.spawn(move || {
                // SAFETY: it has no obligations.
                id.store(unsafe { libc::gettid() }, Relaxed);
                let mut dice = Dice::new(seed + worker as u64);
                while !over.load(Relaxed) {
                    work(&mut dice);
                    rounds.fetch_add(1, Relaxed);
                }
            });
        }
        let (mut dice, me) = (Dice::new(seed + 99), std::process::id());
        while Instant::now() < end {
            let worker = ids[dice.roll(WORKERS as u64) as usize].load(Relaxed);
            if worker != 0 {
                // SAFETY: none of the threads has ended yet, and the signal has a handler.
                unsafe { libc::syscall(libc::SYS_tgkill, me, worker, libc::SIGUSR1) };
            }
            dice.pause();
        }
        over.store(true, Relaxed);
    });
    rounds.load(Relaxed)
}

/// Where a signal meets a thread: it steps aside there.
extern "C" fn step_aside(_: i32) {
    // SAFETY: a bare system call without arguments.
    unsafe { libc::sched_yield() };
}

/// A count that is wrong as soon as two threads are at it at a time.
#[derive(Default)]
struct Count(AtomicU64);

impl Count {
    fn add(&self, dice: &mut Dice) {
        let read = self.0.load(Relaxed);
        dice.pause();
        self.0.store(read + 1, Relaxed);
    }
}

scenario!(
    fn is_shaken() {
        let seed = number("COURSE_STRESS_SEED").unwrap_or_else(|| {
            u64::from(std::process::id()) << 20 | u64::from(env::args().count() as u32)
        });
        let seconds = number("COURSE_STRESS_SECONDS").unwrap_or(1);
        eprintln!("COURSE_STRESS_SEED={seed}");
        // SAFETY: all zeros is a valid sigaction, with no flag: also not SA_RESTART.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = step_aside as *const () as usize;
        // SAFETY: the handler makes one system call, which is safe in any place.
        unsafe { libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()) };

        let shakes: [(&str, Shake); 10] = [
            ("spin", spin),
            ("sleep", sleep),
            ("mutex", mutex),
            ("condvar", condvar),
            ("rwlock", rwlock),
            ("semaphore", semaphore),
            ("event", event),
            ("barrier", barrier),
            ("rlock", rlock),
            ("lock", lock),
        ];
        let each = Duration::from_secs(seconds) / shakes.len() as u32;
        for (number, (name, shake)) in shakes.into_iter().enumerate() {
            let passed = shake(seed + 100 * number as u64, Instant::now() + each);
            check(name, passed, &format!("COURSE_STRESS_SEED={seed}"));
        }
    }
);

/// Shakes one kind of lock, until it is over; whether it kept its promises.
type Shake = fn(u64, Instant) -> bool;

fn spin(seed: u64, end: Instant) -> bool {
    let lock = SpinLock::new(Count::default());
    let rounds = workers(seed, end, |dice| lock.lock().add(dice));
    lock.lock().0.load(Relaxed) == rounds
}

fn sleep(seed: u64, end: Instant) -> bool {
    let lock = SleepLock::new(Count::default());
    let rounds = workers(seed, end, |dice| lock.lock().add(dice));
    lock.lock().0.load(Relaxed) == rounds
}

fn mutex(seed: u64, end: Instant) -> bool {
    let lock = Mutex::new(Count::default());
    let rounds = workers(seed, end, |dice| {
        let guard = match dice.roll(3) {
            0 => lock.lock_timeout(dice.moment()),
            1 => lock.try_lock(),
            _ => None,
        };
        guard.unwrap_or_else(|| lock.lock()).add(dice);
    });
    lock.lock().0.load(Relaxed) == rounds
}

/// Items are put and taken: none is lost and none comes twice, and `notify(1)` for each is enough.
fn condvar(seed: u64, end: Instant) -> bool {
    let (items, filled) = (Mutex::new(0_i64), Condvar::new());
    let (put, taken) = (AtomicU64::new(0), AtomicU64::new(0));
    workers(seed, end, |dice| {
        if dice.roll(2) == 0 {
            *items.lock() += 1;
            put.fetch_add(1, Relaxed);
            filled.notify(1);
        } else {
            let mut items = items.lock();
            // Half of the workers may wait at a time and nobody be left to put: hence the moment.
            if filled.wait_for_timeout(&mut items, dice.moment(), |items| *items > 0) {
                *items -= 1;
                taken.fetch_add(1, Relaxed);
            }
        }
    });
    let left = *items.lock();
    left >= 0
        && put.into_inner() == taken.into_inner() + left.unsigned_abs()
        && filled.notify_all() == 0
}

fn rwlock(seed: u64, end: Instant) -> bool {
    let (lock, writes, inside) =
        (RwLock::new(Count::default()), AtomicU64::new(0), AtomicU32::new(0));
    let torn = AtomicBool::new(false);
    workers(seed, end, |dice| {
        if dice.roll(3) == 0 {
            let write = lock.write_timeout(dice.moment());
            let write = write.unwrap_or_else(|| lock.write());
            if inside.load(Relaxed) != 0 {
                torn.store(true, Relaxed);
            }
            write.add(dice);
            writes.fetch_add(1, Relaxed);
        } else {
            let read = if dice.roll(2) == 0 { lock.read_timeout(dice.moment()) } else { None };
            let read = read.unwrap_or_else(|| lock.read());
            inside.fetch_add(1, Relaxed);
            let before = read.0.load(Relaxed);
            dice.pause();
            if read.0.load(Relaxed) != before {
                torn.store(true, Relaxed);
            }
            inside.fetch_sub(1, Relaxed);
        }
    });
    !torn.into_inner() && lock.into_inner().0.into_inner() == writes.into_inner()
}

fn semaphore(seed: u64, end: Instant) -> bool {
    let (semaphore, inside, over) =
        (Semaphore::bounded(2), AtomicU32::new(0), AtomicBool::new(false));
    workers(seed, end, |dice| {
        let permit =
            if dice.roll(2) == 0 { semaphore.acquire_timeout(dice.moment()) } else { None };
        let permit = permit.unwrap_or_else(|| semaphore.acquire());
        if inside.fetch_add(1, Relaxed) >= 2 {
            over.store(true, Relaxed);
        }
        dice.pause();
        inside.fetch_sub(1, Relaxed);
        drop(permit);
    });
    !over.into_inner() && semaphore.permits() == 2
}

/// It is cleared and set, over and over, and waited for without a timeout: nobody sleeps on.
fn event(seed: u64, end: Instant) -> bool {
    let event = Event::new();
    event.set();
    workers(seed, end, |dice| match dice.roll(3) {
        0 => {
            event.clear();
            dice.pause();
            event.set();
            event.clear();
            event.set();
        }
        _ => event.wait(),
    });
    event.is_set()
}

/// In each round of all workers each has a place of its own; some break it, and reset it.
fn barrier(seed: u64, end: Instant) -> bool {
    let barrier = Barrier::new(WORKERS);
    let (places, wrong) = (AtomicU64::new(0), AtomicBool::new(false));
    let whole = (1 << WORKERS) - 1;
    workers(seed, end, |dice| {
        match barrier.wait_timeout(Duration::from_millis(2)) {
            Ok(place) => {
                let before = places.fetch_xor(1 << place, Relaxed);
                if before & !whole != 0 {
                    wrong.store(true, Relaxed);
                }
            }
            Err(_) => barrier.reset(),
        }
        dice.pause();
    });
    // All who passed passed in rounds of all, so each place came as often as the other ones.
    !wrong.into_inner() && matches!(places.into_inner(), 0 | 0x3f)
}

fn rlock(seed: u64, end: Instant) -> bool {
    let lock = RLock::new(Count::default());
    let rounds = workers(seed, end, |dice| {
        let outer = if dice.roll(2) == 0 { lock.lock_timeout(dice.moment()) } else { None };
        let _outer = outer.unwrap_or_else(|| lock.lock());
        dice.pause();
        lock.lock().add(dice);
    });
    lock.lock().0.load(Relaxed) == rounds
}

fn lock(seed: u64, end: Instant) -> bool {
    let lock = Lock::new(Count::default());
    let rounds = workers(seed, end, |dice| {
        let guard = if dice.roll(2) == 0 { lock.lock_timeout(dice.moment()).ok() } else { None };
        guard.unwrap_or_else(|| lock.lock().expect("no panic")).add(dice);
    });
    lock.lock().expect("no panic").0.load(Relaxed) == rounds
}

#[test]
fn shaken_in_every_place_the_locks_keep_their_promises() {
    let seconds = number("COURSE_STRESS_SECONDS").unwrap_or(1);
    let checks = [
        "spin",
        "sleep",
        "mutex",
        "condvar",
        "rwlock",
        "semaphore",
        "event",
        "barrier",
        "rlock",
        "lock",
    ];
    let judge = Judge::scenario(&is_shaken).declare(checks);
    judge.deadline(Duration::from_secs(20 + 2 * seconds)).run().assert_clean();
}
