//! What several tests need: other threads, and to know that they sleep.
#![allow(dead_code, reason = "no test file uses all of it")]

use std::fs;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

/// A thread, and the kernel's number of it.
pub(crate) struct Thread<T> {
    id: i32,
    handle: JoinHandle<T>,
}

impl<T: Send + 'static> Thread<T> {
    pub(crate) fn start(work: impl FnOnce() -> T + Send + 'static) -> Thread<T> {
        let (tell, told) = mpsc::channel();
        let handle = thread::spawn(move || {
            // SAFETY: it has no obligations.
            tell.send(unsafe { libc::gettid() }).expect("somebody waits for it");
            work()
        });
        Thread { id: told.recv().expect("it tells"), handle }
    }

    /// A thread that has gone to sleep in `work`.
    pub(crate) fn asleep(work: impl FnOnce() -> T + Send + 'static) -> Thread<T> {
        let thread = Thread::start(work);
        thread.until_asleep();
        thread
    }

    /// Looks until the kernel says that the thread sleeps in a futex. It may do so on its way, too,
    /// so only work that does not wait for anything else is work for this.
    pub(crate) fn until_asleep(&self) {
        while !self.is_asleep() {
            thread::yield_now();
        }
    }

    pub(crate) fn is_asleep(&self) -> bool {
        let read = |file: &str| {
            fs::read_to_string(format!("/proc/self/task/{}/{file}", self.id)).unwrap_or_default()
        };
        let sleeps =
            read("stat").rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('S'));
        sleeps && read("syscall").starts_with(&format!("{} ", libc::SYS_futex))
    }

    /// How often it has left a core, and how many ticks it has used one.
    pub(crate) fn activity(&self) -> (u64, u64) {
        let read =
            |file: &str| fs::read_to_string(format!("/proc/self/task/{}/{file}", self.id)).unwrap();
        let switches = read("status")
            .lines()
            .filter(|line| line.contains("ctxt_switches"))
            .map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap())
            .sum();
        let stat = read("stat");
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = |field: usize| fields.split(' ').nth(field).unwrap().parse::<u64>().unwrap();
        (switches, ticks(11) + ticks(12))
    }

    /// The kernel's number of the thread.
    pub(crate) fn id(&self) -> i32 {
        self.id
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.handle.is_finished()
    }

    pub(crate) fn join(self) -> T {
        self.handle.join().expect("it did not panic")
    }

    pub(crate) fn join_panicked(self) -> String {
        let panic = self.handle.join().err().expect("it panicked");
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
    }
}
