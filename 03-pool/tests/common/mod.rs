//! What several tests need.
#![allow(dead_code, reason = "each test binary uses its part of it")]

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pool::Pool;

/// A pipe that workers inherit: a task waits at it until the test lets one pass.
pub(crate) struct Gate;

static GATE: Mutex<Option<(PipeReader, PipeWriter)>> = Mutex::new(None);

impl Gate {
    /// Call it before the pool is made.
    pub(crate) fn new() -> Gate {
        *Gate::ends() = Some(pipe().expect("two descriptors"));
        Gate
    }

    fn ends() -> MutexGuard<'static, Option<(PipeReader, PipeWriter)>> {
        GATE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets so many tasks pass.
    pub(crate) fn open(&self, count: usize) {
        let ends = Gate::ends();
        let (_, writer) = ends.as_ref().expect("made before");
        (&*writer).write_all(&vec![b'.'; count]).expect("somebody reads");
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        Gate::ends().take();
    }
}

/// A task: waits at the gate, and gives its number back.
pub(crate) fn pass(number: u64) -> u64 {
    let ends = Gate::ends();
    let (reader, _) = ends.as_ref().expect("made before the fork");
    (&*reader).read_exact(&mut [0]).expect("the test opens it");
    number
}

pub(crate) fn double(number: u64) -> u64 {
    2 * number
}

/// A task: the worker's pid.
pub(crate) fn who() -> i32 {
    std::process::id().cast_signed()
}

/// A task without end, which needs no processor.
pub(crate) fn forever(_: u64) {
    while !std::hint::black_box(false) {
        std::thread::park();
    }
}

pub(crate) fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).expect("it is there");
}

/// Whether the process exists, be it as a zombie.
pub(crate) fn exists(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None).is_ok()
}

/// Waits until there are two workers, as one that was ordered just now has no pid yet.
pub(crate) fn two(pool: &Pool) -> Vec<i32> {
    loop {
        let pids = pool.worker_pids();
        if pids.len() == 2 {
            return pids;
        }
        thread::yield_now();
    }
}

/// Waits until the pid is no process any more, or a zombie; the pool is told by its parent.
pub(crate) fn until_gone(pid: i32) {
    while fork::Memory::of(pid).is_ok() {
        thread::yield_now();
    }
}

/// Whether it sleeps in read(2) of the gate; the system call's number is that of all others that a
/// worker may sleep in, so its argument decides: a pipe.
pub(crate) fn is_waiting(pid: i32) -> bool {
    let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let Some(fd) = call.strip_prefix("0 0x").and_then(|rest| rest.split(' ').next()) else {
        return false;
    };
    let fd = u32::from_str_radix(fd, 16).unwrap_or(u32::MAX);
    fs::read_link(format!("/proc/{pid}/fd/{fd}"))
        .is_ok_and(|target| target.to_string_lossy().starts_with("pipe:"))
}
