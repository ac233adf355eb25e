//! Lesson 6: many tasks in one process.

use std::num::NonZero;
use std::thread;

use rayon::prelude::*;
use threads::{Thread, ThreadPool};

use crate::measure::{Asked, Measure, Outcome, Sides, Unit};

/// Tasks of the measures that share out many at once.
const MILLION: u64 = 1_000_000;
/// Tasks of the measure that sends each alone.
const MANY: u64 = 10_000;

/// Ours has a name that the system knows, which is one system call. What is asked is to cost no more than
/// without; beside it stands std's with a name.
const STD: &str = "std::thread, nameless";
const NAMED: &str = "std::thread, named";
const RAYON: &str = "rayon, one at a time";
const SPAWN: &str = "rayon spawn, crossbeam-channel";

pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "threads/start",
        job: "start a Thread, and join it",
        unit: Unit::TimeOf("thread"),
        units: 1,
        asked: &[Asked::AtMost(1.05, STD)],
        pinned: false,
        sides: start,
    },
    Measure {
        name: "threads/map",
        job: "map over 1,000,000 numbers, chunk size 1",
        unit: Unit::Rate("tasks"),
        units: MILLION,
        asked: &[Asked::AtLeast(0.8, RAYON)],
        pinned: false,
        sides: map,
    },
    Measure {
        name: "threads/apply-async",
        job: "10,000 times apply_async, then get each",
        unit: Unit::Rate("tasks"),
        units: MANY,
        asked: &[Asked::AtLeast(0.8, SPAWN)],
        pinned: false,
        sides: apply_async,
    },
    Measure {
        name: "threads/round-trip",
        job: "one task there and back, one worker",
        unit: Unit::TimeOf("task"),
        units: 1,
        asked: &[],
        pinned: false,
        sides: round_trip,
    },
];

/// As many workers as there are CPUs, on all sides.
fn workers() -> usize {
    thread::available_parallelism().map_or(2, NonZero::get)
}

fn next(number: u64) -> u64 {
    number + 1
}

fn expect_sum(sum: u64, count: u64) -> Outcome {
    let right = (1..=count).sum::<u64>();
    if sum == right { Ok(()) } else { Err(format!("the sum is {sum}, not {right}").into()) }
}

fn rayon_pool(workers: usize) -> Outcome<rayon::ThreadPool> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(workers).build()?)
}

fn start(sides: &mut Sides) -> Outcome {
    sides.ours("threads::Thread", || {
        let mut thread = Thread::new(|| 7);
        thread.start()?;
        if thread.join()? == 7 { Ok(()) } else { Err("not its value".into()) }
    });
    sides.rival(NAMED, || {
        let named = thread::Builder::new().name("Thread-1".to_owned());
        match named.spawn(|| 7)?.join() {
            Ok(7) => Ok(()),
            _ => Err("not its value".into()),
        }
    });
    sides.rival(STD, || match thread::spawn(|| 7).join() {
        Ok(7) => Ok(()),
        _ => Err("not its value".into()),
    });
    sides.python(
        "Python threading.Thread",
        "
import os, threading
def run():
    thread = threading.Thread(target=os.getpid)
    thread.start()
    thread.join()
",
    );
    Ok(())
}

fn map(sides: &mut Sides) -> Outcome {
    let pool = ThreadPool::new(workers())?;
    sides.ours("threads::ThreadPool::map", move || {
        expect_sum(pool.map(next, 0..MILLION)?.iter().sum(), MILLION)
    });
    let pool = rayon_pool(workers())?;
    sides.rival(RAYON, move || {
        let inputs: Vec<u64> = (0..MILLION).collect();
        let each = || inputs.into_par_iter().with_max_len(1).map(next);
        let answers: Vec<u64> = pool.install(|| each().collect());
        expect_sum(answers.iter().sum(), MILLION)
    });
    let channels = Channels::new(workers());
    sides.rival("crossbeam-channel", move || expect_sum(channels.run(MILLION)?, MILLION));
    Ok(())
}

fn apply_async(sides: &mut Sides) -> Outcome {
    let pool = ThreadPool::new(workers())?;
    sides.ours("threads::ThreadPool::apply_async", move || {
        let results: Vec<_> =
            (0..MANY).map(|number| pool.apply_async(move || next(number))).collect();
        let sum = results.into_iter().map(threads::AsyncResult::get).sum::<Result<u64, _>>()?;
        expect_sum(sum, MANY)
    });
    let pool = rayon_pool(workers())?;
    sides.rival(SPAWN, move || {
        let results: Vec<_> = (0..MANY)
            .map(|number| {
                let (sender, receiver) = crossbeam_channel::bounded(1);
                pool.spawn(move || {
                    let _ = sender.send(next(number));
                });
                receiver
            })
            .collect();
        let sum = results.iter().map(crossbeam_channel::Receiver::recv).sum::<Result<u64, _>>()?;
        expect_sum(sum, MANY)
    });
    sides.python(
        "Python ThreadPool.apply_async",
        &format!(
            "
from multiprocessing.pool import ThreadPool
def next(n):
    return n + 1
pool = ThreadPool({})
def run():
    results = [pool.apply_async(next, (n,)) for n in range({MANY})]
    assert sum(result.get() for result in results) == sum(range(1, {MANY} + 1))
",
            workers()
        ),
    );
    Ok(())
}

fn round_trip(sides: &mut Sides) -> Outcome {
    let pool = ThreadPool::new(1)?;
    sides.ours("threads::ThreadPool::apply", move || match pool.apply(|| next(7))? {
        8 => Ok(()),
        _ => Err("not its value".into()),
    });
    let pool = rayon_pool(1)?;
    sides.rival("rayon install", move || match pool.install(|| next(7)) {
        8 => Ok(()),
        _ => Err("not its value".into()),
    });
    sides.python(
        "Python ThreadPool.apply",
        "
from multiprocessing.pool import ThreadPool
def next(n):
    return n + 1
pool = ThreadPool(1)
def run():
    assert pool.apply(next, (7,)) == 8
",
    );
    Ok(())
}

/// Threads on crossbeam's channels, each task a message: a pool in a dozen lines.
struct Channels {
    tasks: crossbeam_channel::Sender<u64>,
    answers: crossbeam_channel::Receiver<u64>,
}

impl Channels {
    fn new(workers: usize) -> Self {
        let (tasks, work) = crossbeam_channel::unbounded();
        let (answer, answers) = crossbeam_channel::unbounded();
        for _ in 0..workers {
            let (work, answer) = (work.clone(), answer.clone());
            // They end when the sender of the tasks is dropped.
            thread::spawn(move || work.iter().try_for_each(|number| answer.send(next(number))));
        }
        Self { tasks, answers }
    }

    fn run(&self, count: u64) -> Outcome<u64> {
        for number in 0..count {
            self.tasks.send(number)?;
        }
        Ok((0..count).map(|_| self.answers.recv()).sum::<Result<_, _>>()?)
    }
}
