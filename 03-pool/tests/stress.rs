//! Workers, zygote and owner are killed, stopped and interrupted at random moments, under load.
//!
//! `COURSE_STRESS_SECONDS` says for how long, a second without it; `COURSE_STRESS_SEED` repeats the
//! order of the faults of a run that failed.

use std::sync::RwLock;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use judge::{Judge, check, scenario};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pool::{Error, Pool};
use process::SharedWords;

fn seconds() -> f64 {
    env::var("COURSE_STRESS_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1.0)
}

fn seed() -> u64 {
    let given = env::var("COURSE_STRESS_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| u64::from(std::process::id()))
}

/// Steele, Lea and Flood, *Fast splittable pseudorandom number generators* (OOPSLA 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pause(&mut self, most: Duration) {
        let nanos = self.below(most.as_nanos() as u64);
        #[expect(clippy::disallowed_methods, reason = "the moment of a fault is to be random")]
        thread::sleep(Duration::from_nanos(nanos));
    }
}

/// How often each task was begun, in memory that the workers share with us.
static RUNS: RwLock<Option<SharedWords>> = RwLock::new(None);

fn runs(number: u64) -> u64 {
    RUNS.read().unwrap().as_ref().map_or(0, |words| words[number as usize].load(SeqCst))
}
const TASKS: u64 = 400;

fn triple(number: u64) -> u64 {
    // In a worker there is nobody who could hold it for long, or at all.
    if let Some(word) = RUNS.read().unwrap().as_ref().and_then(|words| words.get(number as usize)) {
        word.fetch_add(1, SeqCst);
    }
    let long = Instant::now();
    while long.elapsed() < Duration::from_micros(number % 7 * 20) {
        std::hint::spin_loop();
    }
    3 * number
}

/// An answer larger than the ring, so that some are cut in the middle.
fn large(number: u64) -> (u64, String) {
    (number, "x".repeat(200_000))
}

/// Whether that is what may become of a task here; counts those that were killed.
fn is_fine(number: u64, result: Result<u64, Error>, killed: &mut u64) -> bool {
    let runs = runs(number);
    match result {
        Ok(value) => value == 3 * number && runs == 1,
        Err(Error::Killed { .. }) => {
            *killed += 1;
            runs <= 1
        }
        Err(error) => {
            println!("{number}: {error}");
            false
        }
    }
}

scenario!(
    fn storm() {
        *RUNS.write().unwrap() = Some(SharedWords::new(TASKS as usize).expect("memory"));
        let pool = Pool::new(3).expect("a pool");
        println!("ready");
        let (faults, over) = (AtomicU64::new(0), AtomicBool::new(false));
        let end = Instant::now() + Duration::from_secs_f64(seconds());
        let (mut rounds, mut killed, mut wrong) = (0_u64, 0_u64, 0_u64);
        thread::scope(|scope| {
            scope.spawn(|| disturb(&pool, &faults, &over));
            scope.spawn(|| {
                // A second caller, so that leading goes from one to the other.
                let mut number = 0;
                while !over.load(Relaxed) {
                    number += 1;
                    match pool.apply(large, (number,)) {
                        Ok((same, text)) => assert!(same == number && text.len() == 200_000),
                        Err(Error::Killed { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
            while Instant::now() < end {
                let zero =
                    |words: &SharedWords| words.iter().for_each(|word| word.store(0, SeqCst));
                RUNS.read().unwrap().iter().for_each(zero);
                let singles: Vec<_> =
                    (0..200).map(|number| (number, pool.apply_async(triple, (number,)))).collect();
                for result in pool.imap_unordered(triple, 200..300) {
                    // Which one it is, only its value says.
                    match result {
                        Ok(value) => {
                            wrong += u64::from(!is_fine(value / 3, Ok(value), &mut killed))
                        }
                        Err(Error::Killed { .. }) => killed += 1,
                        Err(_) => wrong += 1,
                    }
                }
                let many = pool.chunk_size(7).map(triple, 300..TASKS);
                match many {
                    Ok(values) => {
                        wrong +=
                            u64::from(values != (300..TASKS).map(|n| 3 * n).collect::<Vec<_>>());
                    }
                    Err(Error::Killed { .. }) => killed += 1,
                    Err(_) => wrong += 1,
                }
                for (number, result) in singles {
                    wrong += u64::from(!is_fine(number, result.get(), &mut killed));
                }
                wrong += (0..TASKS).filter(|number| runs(*number) > 1).count() as u64;
                rounds += 1;
            }
            over.store(true, Relaxed);
        });
        let calm = pool.map(triple, [1, 2, 3]);
        check(
            "calm",
            calm.is_ok_and(|values| values == [3, 6, 9]),
            "afterwards it works as before",
        );
        pool.close().join();
        RUNS.write().unwrap().take();
        let faults = faults.load(Relaxed);
        check("wrong", wrong == 0, &format!("{wrong} results are lost, wrong, or there twice"));
        check("rounds", rounds > 0 && faults > 0, "there was something to see");
        println!("{rounds} rounds of {TASKS} tasks, {faults} faults, {killed} tasks killed");
    }
);

/// Kills, stops and interrupts the pool's processes.
fn disturb(pool: &Pool, faults: &AtomicU64, over: &AtomicBool) {
    let mut random = Random(seed());
    while !over.load(Relaxed) {
        random.pause(Duration::from_millis(4));
        let workers = pool.worker_pids();
        let zygote = pool.zygote_pid();
        let target = match (random.below(24), zygote) {
            (0, Some(zygote)) => zygote,
            _ if workers.is_empty() => continue,
            _ => workers[random.below(workers.len() as u64) as usize],
        };
        // Its number may be another's by now: only our own child's, or grandchild's, counts.
        let me = std::process::id().cast_signed();
        if ![Some(me), zygote].contains(&parent_of(target)) {
            continue;
        }
        let send = |signal| kill(Pid::from_raw(target), signal).is_ok();
        let sent = match random.below(8) {
            0..3 => send(Signal::SIGKILL),
            3..6 => {
                let stopped = send(Signal::SIGSTOP);
                random.pause(Duration::from_millis(10));
                send(Signal::SIGCONT);
                stopped
            }
            _ => send(Signal::SIGINT),
        };
        faults.fetch_add(u64::from(sent), Relaxed);
    }
}

fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn no_fault_loses_a_result_or_makes_it_twice_or_hangs_the_pool() {
    println!("COURSE_STRESS_SEED={}", seed());
    let deadline = Duration::from_secs_f64(seconds() + 30.0);
    let judge = Judge::scenario(&storm).declare(["calm", "wrong", "rounds"]).deadline(deadline);
    let mut running = judge.env("COURSE_STRESS_SEED", seed().to_string()).start();
    running.wait_for_line(|line| line == "ready");
    // The owner is stopped from outside, meanwhile.
    let (mut random, mut stops) = (Random(seed() ^ 1), 0);
    let end = Instant::now() + Duration::from_secs_f64(seconds());
    while Instant::now() < end {
        random.pause(Duration::from_millis(200));
        running.signal(Signal::SIGSTOP as i32);
        random.pause(Duration::from_millis(20));
        running.signal(Signal::SIGCONT as i32);
        stops += 1;
    }
    let report = running.finish();
    report.assert_clean();
    println!("{}and the owner was stopped {stops} times", report.stdout());
}

scenario!(
    fn works_until_it_is_killed() {
        let pool = Pool::new(3).expect("a pool");
        println!("ready");
        loop {
            let values = pool.chunk_size(3).map(triple, 0..500).expect("no fault of theirs");
            assert_eq!(values.len(), 500);
        }
    }
);

#[test]
fn a_killed_or_interrupted_owner_leaves_nothing_behind_whenever_it_comes() {
    let mut random = Random(seed());
    let end = Instant::now() + Duration::from_secs_f64(seconds());
    let mut rounds = 0;
    while Instant::now() < end {
        let mut running = Judge::scenario(&works_until_it_is_killed).start();
        running.wait_for_line(|line| line == "ready");
        random.pause(Duration::from_millis(20));
        let kill = random.below(2) == 0;
        if kill {
            running.signal(Signal::SIGKILL as i32);
        } else {
            running.signal_group(Signal::SIGINT as i32);
        }
        let report = running.finish();
        let signal = if kill { Signal::SIGKILL } else { Signal::SIGINT };
        assert_eq!(report.signal(), Some(signal as i32), "{report}");
        // A worker may die before the zygote, its parent, does, and be a zombie until then.
        assert!(report.left_over().orphans.is_empty(), "{report}");
        rounds += 1;
    }
    println!("the owner was killed or interrupted {rounds} times");
}
