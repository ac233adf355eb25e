//! Process or thread: the same job, the same calls, on a pool of either.

use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};
use std::{io, process as std_process};

use fork::Memory;
use pool::Pool;
use process::Process;
use threads::{Thread, ThreadPool};

use super::Outcome;

/// Children that are started one after the other.
const CHILDREN: u32 = 100;
/// Small tasks of one map, and tasks that are waited for one by one.
const SMALL: u64 = 20_000;
const ALONE: u32 = 1_000;
const MEBIBYTE: usize = 1 << 20;
/// Idle workers whose memory is looked at.
const IDLE: usize = 16;
/// The job: primes below this, found the slow way, in so many parts.
const BELOW: u32 = 200_000;
const PARTS: u32 = 64;

/// What one of the two does it in.
struct Side {
    creation: Duration,
    dispatch: Duration,
    alone: Duration,
    mebibyte: Duration,
    /// Bytes for one worker more.
    memory: u64,
    job: Duration,
    crash: String,
}

pub(crate) fn run() -> Outcome {
    let workers = thread::available_parallelism().map_or(2, NonZero::get);
    let start = Instant::now();
    let found: u32 = (0..PARTS).map(primes).sum();
    let one = start.elapsed();
    // Processes first: a fork is best made before there are threads.
    let process = processes(workers, found)?;
    let thread = threads(workers, found)?;

    say!("A master and {workers} workers, as processes and as threads:")?;
    say!("{:47}{:>10}{:>11}{:>9}", "", "process", "thread", "ratio")?;
    row("creation", "start one and join it", process.creation, thread.creation)?;
    row("dispatch", "a small task, of many", process.dispatch, thread.dispatch)?;
    row("", "a small task there and back", process.alone, thread.alone)?;
    row("data", "1 MiB to a worker", process.mebibyte, thread.mebibyte)?;
    let kib = |bytes: u64| bytes as f64 / 1024.0;
    let (its, one_more) = (kib(process.memory), kib(thread.memory));
    let ratio = its / one_more;
    say!(
        "{:9}{:38}{its:>6.0} KiB{one_more:>7.0} KiB{ratio:>9.1}",
        "memory",
        "one worker more, idle"
    )?;
    row("the job", &format!("{found} primes, below {BELOW}"), process.job, thread.job)?;
    say!("{:9}{:38}{:>10}", "", "the same without workers", format!("{one:.1?}"))?;
    say!("A crash in a task, as a process: {}.", process.crash)?;
    say!("                   as a thread:  {}.", thread.crash)?;
    Ok(())
}

fn row(what: &str, of: &str, process: Duration, thread: Duration) -> io::Result<()> {
    let ratio = process.as_secs_f64() / thread.as_secs_f64();
    let (process, thread) = (format!("{process:.1?}"), format!("{thread:.1?}"));
    say!("{what:9}{of:38}{process:>10}{thread:>11}{ratio:>9.1}")
}

fn processes(workers: usize, expected: u32) -> Result<Side, Box<dyn std::error::Error>> {
    let creation = each(CHILDREN, || {
        let mut process = Process::new(nothing, ());
        process.start()?;
        Ok(process.join()?)
    })?;
    let pool = Pool::new(workers)?;
    let chunks = pool.chunk_size(1);
    let dispatch = each(1, || check(chunks.map(next, 0..SMALL)?.len() == SMALL as usize))?;
    let alone = each(ALONE, || check(pool.apply(next, (1,))? == 2))?;
    let text = "x".repeat(MEBIBYTE);
    let mebibyte = each(50, || check(pool.apply(length, (text.clone(),))? == MEBIBYTE))?;
    let job = each(1, || check(chunks.map(primes, 0..PARTS)?.iter().sum::<u32>() == expected))?;

    let idle = Pool::new(IDLE)?;
    idle.map(next, 0..IDLE as u64)?;
    let own = |pid: &i32| Memory::of(*pid).map(|memory| memory.private_dirty);
    let all: u64 = idle.worker_pids().iter().map(own).sum::<io::Result<u64>>()?;
    drop(idle);

    let crashed = pool.apply_async(crash, ());
    let others = chunks.map(next, 0..SMALL)?.len();
    let error = crashed.get().err().ok_or("the crash was survived")?;
    pool.close().join();
    Ok(Side {
        creation,
        dispatch: dispatch / SMALL as u32,
        alone,
        mebibyte,
        memory: all / IDLE as u64,
        job,
        crash: format!("{error};\n{:33}the {others} other tasks were done", ""),
    })
}

fn threads(workers: usize, expected: u32) -> Result<Side, Box<dyn std::error::Error>> {
    let creation = each(CHILDREN, || {
        let mut thread = Thread::new(nothing);
        thread.start()?;
        Ok(thread.join()?)
    })?;
    let pool = ThreadPool::new(workers)?;
    let chunks = pool.chunk_size(1);
    let dispatch = each(1, || check(chunks.map(next, 0..SMALL)?.len() == SMALL as usize))?;
    let alone = each(ALONE, || check(pool.apply(|| next(1))? == 2))?;
    let mut text = "x".repeat(MEBIBYTE);
    let mebibyte = each(50, || {
        // Moved there and back: what travels is a pointer.
        let there = std::mem::take(&mut text);
        text =
            pool.apply(move || (length(there.clone()) == MEBIBYTE).then_some(there))?.ok_or("")?;
        Ok(())
    })?;
    let job = each(1, || check(chunks.map(primes, 0..PARTS)?.iter().sum::<u32>() == expected))?;

    let own = || Memory::of(std_process::id().cast_signed()).map(|memory| memory.private_dirty);
    let before = own()?;
    let idle = ThreadPool::new(IDLE)?;
    idle.map(next, 0..IDLE as u64)?;
    let memory = own()?.saturating_sub(before) / IDLE as u64;
    drop(idle);

    // In a process of its own, for that is what it takes with it.
    let mut process = Process::new(crash_in_a_thread, (workers,));
    process.start()?;
    let status = match process.join() {
        Err(process::Error::Ended { status, .. }) => status,
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("the crash was survived".into()),
    };
    Ok(Side {
        creation,
        dispatch: dispatch / SMALL as u32,
        alone,
        mebibyte,
        memory,
        job,
        crash: format!("its process was {status};\n{:33}all other tasks went with it", ""),
    })
}

/// The time for one of so many.
fn each(
    times: u32,
    mut action: impl FnMut() -> Outcome,
) -> Result<Duration, Box<dyn std::error::Error>> {
    let start = Instant::now();
    for _ in 0..times {
        action()?;
    }
    Ok(start.elapsed() / times)
}

fn check(right: bool) -> Outcome {
    if right { Ok(()) } else { Err("a worker gave a wrong answer".into()) }
}

fn nothing() {}

fn next(number: u64) -> u64 {
    number + 1
}

#[expect(clippy::needless_pass_by_value, reason = "a worker owns what it was sent")]
fn length(text: String) -> usize {
    text.len()
}

/// Primes in one of the parts.
fn primes(part: u32) -> u32 {
    let range = (BELOW / PARTS * part).max(2)..BELOW / PARTS * (part + 1);
    let is_prime = |number: &u32| {
        (2..).take_while(|it| it * it <= *number).all(|it| !number.is_multiple_of(it))
    };
    range.filter(is_prime).count() as u32
}

fn crash() {
    std_process::abort();
}

fn crash_in_a_thread(workers: usize) -> bool {
    let pool = ThreadPool::new(workers).ok();
    pool.is_some_and(|pool| pool.apply(crash).is_ok())
}
