//! Lesson 3: many tasks on a few processes.

use std::io::{Read, Write};
use std::num::NonZero;
use std::thread;

use ::pool::Pool;
use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use rayon::prelude::*;
use serde_bytes::ByteBuf;

use crate::limit::{self, Mapping, Worker};
use crate::measure::{Asked, Measure, Outcome, Sides, Unit};
use crate::pipes::{Pipes, next};

/// Tasks of the measures that send each task alone.
const MANY: u64 = 10_000;
/// Tasks of the measure that sends chunks.
const MORE: u64 = 100_000;
/// Tasks with a large argument, of the measure that sends several.
const LARGE: u64 = 32;
const MEBIBYTE: usize = 1 << 20;

const APPLY: &str = "Python Pool.apply";
const MAP: &str = "Python Pool.map";

pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "pool/map-1",
        job: "map over 10,000 numbers, chunk size 1",
        unit: Unit::Rate("tasks"),
        units: MANY,
        asked: &[Asked::AtLeast(20.0, MAP)],
        pinned: false,
        sides: map_one,
    },
    Measure {
        name: "pool/map",
        job: "map over 100,000 numbers, default chunks",
        unit: Unit::Rate("tasks"),
        units: MORE,
        asked: &[Asked::AtLeast(6.0, MAP)],
        pinned: false,
        sides: map_chunks,
    },
    Measure {
        name: "pool/apply-async",
        job: "10,000 times apply_async, then get each",
        unit: Unit::Rate("tasks"),
        units: MANY,
        asked: &[Asked::AtLeast(15.0, "Python Pool.apply_async, get")],
        pinned: false,
        sides: apply_async,
    },
    Measure {
        name: "pool/round-trip",
        job: "one task there and back, one worker",
        unit: Unit::TimeOf("task"),
        units: 1,
        asked: &[Asked::AtMost(1.25, "a pair of pipes")],
        pinned: false,
        sides: round_trip,
    },
    Measure {
        name: "pool/round-trip-pinned",
        job: "one task there and back, one worker",
        unit: Unit::TimeOf("task"),
        units: 1,
        asked: &[Asked::AtMost(1.25, "a pair of pipes")],
        pinned: true,
        sides: round_trip,
    },
    Measure {
        name: "pool/mebibyte",
        job: "one task with an argument of 1 MiB",
        unit: Unit::TimeOf("task"),
        units: 1,
        asked: &[Asked::AtLeast(10.0, APPLY)],
        pinned: false,
        sides: mebibyte,
    },
    Measure {
        name: "pool/mebibyte-map",
        job: "map over 32 arguments of 1 MiB, chunk size 1",
        unit: Unit::TimeOf("task"),
        units: LARGE,
        asked: &[Asked::AtLeast(10.0, MAP)],
        pinned: false,
        sides: mebibyte_map,
    },
];

/// As many workers as there are CPUs, on all sides.
fn workers() -> usize {
    thread::available_parallelism().map_or(2, NonZero::get)
}

/// `numbers` have all been counted up by one.
fn expect_sum(sum: u64, count: u64) -> Outcome {
    let right = (1..=count).sum::<u64>();
    if sum == right { Ok(()) } else { Err(format!("the sum is {sum}, not {right}").into()) }
}

fn expect_length(length: usize) -> Outcome {
    if length == MEBIBYTE { Ok(()) } else { Err(format!("the worker saw {length} bytes").into()) }
}

fn count_up(number: u64) -> u64 {
    number + 1
}

fn length(bytes: ByteBuf) -> usize {
    bytes.len()
}

fn map_one(sides: &mut Sides) -> Outcome {
    let mut pipes = Pipes::new(workers(), 256)?;
    sides.limit("pipes, 256 tasks in flight", move || expect_sum(pipes.run(MANY)?, MANY));
    ipc_channels(sides)?;
    sides.python(MAP, &python_map("n + 1", &format!("range({MANY})"), "chunksize=1"));
    let ours = Pool::new(workers())?;
    sides.ours("pool::Pool, chunk_size(1).map", move || {
        let answers = ours.chunk_size(1).map(count_up, 0..MANY)?;
        expect_sum(answers.iter().sum(), MANY)
    });
    let channels = Channels::new(workers());
    sides.rival("crossbeam-channel, threads", move || expect_sum(channels.run(MANY)?, MANY));
    let pool = rayon_pool()?;
    let inputs: Vec<u64> = (0..MANY).collect();
    sides.rival("rayon, threads, one at a time", move || {
        let one = || inputs.par_iter().with_max_len(1).map(|&number| next(number));
        let answers: Vec<u64> = pool.install(|| one().collect());
        expect_sum(answers.iter().sum(), MANY)
    });
    Ok(())
}

fn map_chunks(sides: &mut Sides) -> Outcome {
    let mut pipes = Pipes::new(workers(), 4096)?;
    sides.limit("pipes, 4096 tasks in flight", move || expect_sum(pipes.run(MORE)?, MORE));
    sides.python(MAP, &python_map("n + 1", &format!("range({MORE})"), ""));
    let ours = Pool::new(workers())?;
    sides.ours("pool::Pool::map", move || {
        let answers = ours.map(count_up, 0..MORE)?;
        expect_sum(answers.iter().sum(), MORE)
    });
    let pool = rayon_pool()?;
    let inputs: Vec<u64> = (0..MORE).collect();
    sides.rival("rayon, threads", move || {
        let each = || inputs.par_iter().map(|&number| next(number));
        let answers: Vec<u64> = pool.install(|| each().collect());
        expect_sum(answers.iter().sum(), MORE)
    });
    Ok(())
}

fn apply_async(sides: &mut Sides) -> Outcome {
    let mut pipes = Pipes::new(workers(), 256)?;
    sides.limit("pipes, 256 tasks in flight", move || expect_sum(pipes.run(MANY)?, MANY));
    ipc_channels(sides)?;
    sides.python(
        "Python Pool.apply_async, get",
        &format!(
            "
import multiprocessing
def next(n):
    return n + 1
pool = multiprocessing.get_context('fork').Pool({})
def run():
    results = [pool.apply_async(next, (n,)) for n in range({MANY})]
    assert sum(result.get() for result in results) == sum(range(1, {MANY} + 1))
",
            workers()
        ),
    );
    let ours = Pool::new(workers())?;
    sides.ours("pool::Pool::apply_async, get", move || {
        let results: Vec<_> = (0..MANY).map(|n| ours.apply_async(count_up, (n,))).collect();
        let sum = results.iter().map(|result| result.get()).sum::<Result<u64, _>>()?;
        expect_sum(sum, MANY)
    });
    let channels = Channels::new(workers());
    sides.rival("crossbeam-channel, threads", move || expect_sum(channels.run(MANY)?, MANY));
    Ok(())
}

fn round_trip(sides: &mut Sides) -> Outcome {
    let mut worker = Worker::fork(limit::echo)?;
    sides.limit("a pair of pipes", move || {
        let mut message = 7_u64.to_ne_bytes();
        worker.to.write_all(&message)?;
        worker.from.read_exact(&mut message)?;
        Ok(())
    });
    let ours = Pool::new(1)?;
    sides.ours("pool::Pool::apply", move || match ours.apply(count_up, (7,))? {
        8 => Ok(()),
        other => Err(format!("7 and 1 is not {other}").into()),
    });
    sides.python(
        APPLY,
        "
import multiprocessing
def next(n):
    return n + 1
pool = multiprocessing.get_context('fork').Pool(1)
def run():
    assert pool.apply(next, (7,)) == 8
",
    );
    Ok(())
}

fn mebibyte(sides: &mut Sides) -> Outcome {
    let (argument, mut shared) = (vec![b'x'; MEBIBYTE], Mapping::shared(MEBIBYTE)?);
    let mut worker = Worker::fork(limit::echo)?;
    sides.limit("shared memory, a pair of pipes", move || {
        shared.copy_from_slice(&argument);
        let mut message = MEBIBYTE.to_ne_bytes();
        worker.to.write_all(&message)?;
        worker.from.read_exact(&mut message)?;
        expect_length(usize::from_ne_bytes(message))
    });
    sides.python(
        APPLY,
        &format!(
            "
import multiprocessing
data = b'x' * {MEBIBYTE}
pool = multiprocessing.get_context('fork').Pool(1)
def run():
    assert pool.apply(len, (data,)) == {MEBIBYTE}
"
        ),
    );
    let (ours, data) = (Pool::new(1)?, ByteBuf::from(vec![b'x'; MEBIBYTE]));
    sides.ours("pool::Pool::map of one", move || expect_length(ours.map(length, [&data])?[0]));
    Ok(())
}

fn mebibyte_map(sides: &mut Sides) -> Outcome {
    let ours = Pool::new(workers())?;
    let inputs = vec![ByteBuf::from(vec![b'x'; MEBIBYTE]); LARGE as usize];
    sides.ours("pool::Pool, chunk_size(1).map", move || {
        ours.chunk_size(1).map(length, &inputs)?.into_iter().try_for_each(expect_length)
    });
    let data = format!("[b'x' * {MEBIBYTE} for _ in range({LARGE})]");
    sides.python(MAP, &python_map("n if type(n) is int else len(n)", &data, "chunksize=1"));
    Ok(())
}

/// A script that maps `n -> expression` over `inputs`.
fn python_map(expression: &str, inputs: &str, chunks: &str) -> String {
    format!(
        "
import multiprocessing
def work(n):
    return {expression}
inputs = {inputs}
expected = [work(n) for n in inputs]
pool = multiprocessing.get_context('fork').Pool({})
def run():
    assert pool.map(work, inputs, {chunks}) == expected
",
        workers()
    )
}

/// Processes on ipc-channel's channels: each task is a message, and so is each answer.
fn ipc_channels(sides: &mut Sides) -> Outcome {
    let (answer, answers) = ipc::channel()?;
    let workers = (0..workers())
        .map(|_| {
            let (task, tasks): (IpcSender<u64>, IpcReceiver<u64>) = ipc::channel()?;
            let answer = answer.clone();
            limit::child(move || {
                while let Ok(number) = tasks.recv() {
                    answer.send(next(number)).map_err(std::io::Error::other)?;
                }
                Ok(())
            })?;
            Outcome::Ok(task)
        })
        .collect::<Outcome<Vec<_>>>()?;
    sides.rival("ipc-channel, processes", move || {
        // A send blocks when its socket is full, so the answers must not wait for the last task.
        let in_flight = 64 * workers.len() as u64;
        let mut sum = 0;
        for number in 0..MANY {
            let index = number as usize % workers.len();
            workers[index].send(number)?;
            if number >= in_flight {
                sum += answers.recv()?;
            }
        }
        for _ in 0..in_flight.min(MANY) {
            sum += answers.recv()?;
        }
        expect_sum(sum, MANY)
    });
    Ok(())
}

/// Threads on crossbeam's channels: what a pool costs without a second process.
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

fn rayon_pool() -> Outcome<rayon::ThreadPool> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(workers()).build()?)
}
