//! What several tests need.
#![allow(dead_code, reason = "each test binary uses its part of it")]

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

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
    loop {
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
