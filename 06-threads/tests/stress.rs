//! The pool under shaken schedules, for `COURSE_STRESS_SECONDS` (1): no task is lost, none is done
//! twice, and sleepers are always woken.
#![deny(unsafe_code)]

use std::env;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use judge::{Judge, check, scenario};
use threads::{PoolError, ThreadPool};

fn seconds() -> f64 {
    env::var("COURSE_STRESS_SECONDS").ok().and_then(|it| it.parse().ok()).unwrap_or(1.0)
}

/// A small generator of numbers (xorshift64): a run is repeated by its seed.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    /// Shakes the schedule: nothing, or another thread's turn, or long enough that all fall asleep.
    fn pause(&mut self) {
        match self.below(100) {
            0..60 => {}
            60..95 => thread::yield_now(),
            _ => thread::park_timeout(Duration::from_micros(self.below(200))),
        }
    }
}

/// How often each task was done.
#[derive(Clone)]
struct Tally(Arc<[AtomicU32]>);

impl Tally {
    fn new(count: u64) -> Tally {
        Tally((0..count).map(|_| AtomicU32::new(0)).collect())
    }

    fn task(&self, number: u64, mut random: Random) -> impl FnOnce() -> u64 + Send + 'static {
        let tally = self.clone();
        move || {
            random.pause();
            tally.0[usize::try_from(number).expect("few tasks")].fetch_add(1, Relaxed);
            number
        }
    }

    fn done(&self) -> usize {
        let times: Vec<u32> = self.0.iter().map(|it| it.load(Relaxed)).collect();
        assert!(times.iter().all(|&times| times <= 1), "a task was done twice");
        times.into_iter().filter(|&times| times == 1).count()
    }
}

/// One pool's life: several threads send it tasks in all ways, and it ends in one of three.
fn life(random: &mut Random) {
    let threads = 1 + random.below(4) as usize;
    let pool = Arc::new(ThreadPool::new(threads).expect("a pool"));
    for _ in 0..random.below(20) {
        random.pause();
        all_at_once(&pool, threads, random.below(2) == 0);
    }
    // Tasks without a pause: how they end is what races.
    for _ in 0..200 {
        let count = 1 + random.below(3);
        let values = pool.map(|it| it + 1, 0..count).expect("values");
        assert!(values.into_iter().eq(1..=count));
    }
    let senders: Vec<_> = (0..1 + random.below(3))
        .map(|number| {
            let (pool, random) = (Arc::clone(&pool), Random(random.0 ^ (number + 1) << 32));
            thread::spawn(move || send(&pool, random))
        })
        .collect();
    for sender in senders {
        sender.join().expect("no task was lost, or done twice");
    }
    let pool = Arc::into_inner(pool).expect("all tasks are done, and they had it last");
    let tally = Tally::new(50);
    let task = |number| pool.apply_async(tally.task(number, Random(random.0 ^ number << 16 | 1)));
    let results: Vec<_> = (0..50).map(task).collect();
    match random.below(3) {
        0 => pool.close().join(),
        1 => pool.terminate().join(),
        _ => drop(pool),
    }
    let mut done = 0;
    for (number, result) in (0..).zip(results) {
        match result.get() {
            Ok(value) => {
                assert_eq!(value, number);
                done += 1;
            }
            Err(error) => assert!(matches!(error, PoolError::Terminated), "{error}"),
        }
    }
    assert_eq!(done, tally.done(), "what was done is told, and nothing else");
}

/// As many tasks as threads, that wait for one another: a thread that sleeps on, while another one
/// has two of them, is a hang.
fn all_at_once(pool: &ThreadPool, threads: usize, as_map: bool) {
    let meet = Arc::new(Barrier::new(threads));
    if as_map {
        pool.map(move |_| meet.wait().is_leader(), 0..threads).expect("all meet");
        return;
    }
    let task = |_| {
        let meet = Arc::clone(&meet);
        pool.apply_async(move || meet.wait().is_leader())
    };
    let all: Vec<_> = (0..threads).map(task).collect();
    let leaders = all.into_iter().map(|it| it.get().expect("all meet"));
    assert_eq!(leaders.filter(|&leader| leader).count(), 1);
}

fn send(pool: &Arc<ThreadPool>, mut random: Random) {
    for _ in 0..1 + random.below(6) {
        random.pause();
        let count = 1 + random.below(60);
        let tally = Tally::new(count);
        let seed = random.0;
        let each =
            move |tally: &Tally, number| tally.task(number, Random(seed ^ number << 8 | 1))();
        match random.below(5) {
            0 => {
                for number in 0..count {
                    let task = tally.task(number, random.clone());
                    assert_eq!(pool.apply(task).expect("a value"), number);
                    random.pause();
                }
            }
            1 => {
                let task = |number| pool.apply_async(tally.task(number, Random(seed ^ number | 1)));
                let results: Vec<_> = (0..count).map(task).collect();
                let values = results.into_iter().map(|it| it.get().expect("a value"));
                assert!(values.eq(0..count));
            }
            2 => {
                let (size, tally) = (1 + random.below(9) as usize, tally.clone());
                let values = pool.chunk_size(size).map(move |it| each(&tally, it), 0..count);
                assert!(values.expect("values").into_iter().eq(0..count));
            }
            3 => {
                let (size, tally) = (1 + random.below(3) as usize, tally.clone());
                let values =
                    pool.chunk_size(size).imap_unordered(move |it| each(&tally, it), 0..count);
                let mut values: Vec<_> = values.map(|it| it.expect("a value")).collect();
                values.sort_unstable();
                assert!(values.into_iter().eq(0..count));
            }
            _ => {
                // Tasks that wait for tasks.
                let (inner, tally) = (Arc::clone(pool), tally.clone());
                let outer = move |number| {
                    let task = tally.task(number, Random(seed ^ number << 4 | 1));
                    inner.apply(task).expect("a value")
                };
                assert!(pool.map(outer, 0..count).expect("values").into_iter().eq(0..count));
            }
        }
        assert_eq!(tally.done() as u64, count, "a task was lost");
    }
}

scenario!(
    fn shaken() {
        let seed = env::var("COURSE_STRESS_SEED").ok().and_then(|it| it.parse().ok());
        let seed = seed.unwrap_or(u64::from(std::process::id()) << 20 | 1);
        println!("COURSE_STRESS_SEED={seed}");
        let mut random = Random(seed);
        let (start, lives) = (Instant::now(), AtomicUsize::new(0));
        while start.elapsed().as_secs_f64() < seconds() {
            life(&mut random);
            lives.fetch_add(1, Relaxed);
        }
        println!("{} pools", lives.load(Relaxed));
        check("ended", lives.load(Relaxed) > 0, "no task was lost or done twice");
    }
);

#[test]
fn no_task_is_lost_none_is_done_twice_and_sleepers_are_always_woken() {
    let deadline = Duration::from_secs_f64(20.0 + 2.0 * seconds());
    Judge::scenario(&shaken).declare(["ended"]).deadline(deadline).run().assert_clean();
}
