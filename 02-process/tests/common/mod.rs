//! What the tests share.
#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{BorrowedFd, OwnedFd};

use judge::check;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use process::{PrivateFd, Process, Start, handed_over};
use serde::{Serialize, de::DeserializeOwned};

/// Every promise is one of both.
pub(crate) const METHODS: [Start; 2] = [Start::Fork, Start::Spawn];

/// The names of checks that are made once for each method.
pub(crate) fn both(names: &[&str]) -> Vec<String> {
    METHODS.iter().flat_map(|method| names.iter().map(move |name| named(*method, name))).collect()
}

fn named(method: Start, name: &str) -> String {
    format!("{name} ({method:?})")
}

/// Reports a check that is made once for each method.
pub(crate) fn check_for(method: Start, name: &str, passed: bool, sentence: &str) {
    check(&named(method, name), passed, sentence);
}

pub(crate) fn pipe() -> [PrivateFd; 2] {
    PrivateFd::pipe().expect("two descriptors")
}

/// Reads to the end, which comes when every process has closed the other end.
pub(crate) fn read(fd: impl Into<OwnedFd>) -> String {
    let mut text = String::new();
    File::from(fd.into()).read_to_string(&mut text).expect("a pipe can be read");
    text
}

pub(crate) fn started<R: Serialize + DeserializeOwned + 'static>(
    process: Process<R>,
) -> Process<R> {
    let mut process = process;
    process.start().expect("a process");
    process
}

/// Lives until what was handed to it is at its end.
pub(crate) fn wait_and_return(code: i32) -> i32 {
    handed_over().into_iter().for_each(|fd| drop(read(fd)));
    code
}

/// A child that returns `code` when the second value is dropped.
pub(crate) fn returns_when_told(method: Start, code: i32) -> (Process<i32>, PrivateFd) {
    let [told, tell] = pipe();
    let process = Process::new(wait_and_return, (code,)).method(method).hand_over(vec![told]);
    (started(process), tell)
}

#[expect(clippy::infinite_loop, reason = "it does not end by itself")]
pub(crate) fn forever() {
    loop {
        nix::unistd::pause();
    }
}

/// How many descriptors this process has open, the one that looks excepted.
pub(crate) fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("proc is mounted").count() - 1
}

/// The letter in /proc/PID/stat, if there is such a process.
pub(crate) fn state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Whether it becomes readable; waits no longer than that.
pub(crate) fn is_readable(fd: BorrowedFd<'_>, wait: PollTimeout) -> bool {
    let mut ready = [PollFd::new(fd, PollFlags::POLLIN)];
    loop {
        match poll(&mut ready, wait) {
            Err(nix::Error::EINTR) => {}
            ready => return ready == Ok(1),
        }
    }
}
