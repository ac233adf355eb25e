//! A wait for several descriptors at once: poll, select, epoll.

use super::call::Memory;
use super::clock::long;
use super::descriptor::{self, Wish};
use super::scene::{Scene, Task};
use super::wait::{Wait, outside};

pub(super) fn limit(timeout: Option<f64>, endless: bool) -> Option<f64> {
    timeout.or_else(|| (!endless).then_some(0.0))
}

pub(super) fn together(
    scene: &Scene,
    task: &Task,
    verb: &str,
    fds: &[(i32, bool, bool)],
    timeout: Option<f64>,
) -> Wait {
    let (what, wakers) = descriptor::several(scene, task, fds);
    match timeout {
        Some(seconds) => outside(format!("waits in {verb} for up to {} for {what}", long(seconds))),
        None => Wait { what: format!("waits in {verb} for {what}"), wakers },
    }
}

pub(super) fn polls(
    scene: &Scene,
    task: &Task,
    memory: &Memory,
    at: u64,
    count: u64,
    timeout: Option<f64>,
) -> Wait {
    let mut fds = Vec::new();
    for index in 0..count.min(1024) {
        // A struct pollfd: int fd, short events, short revents.
        let at = at + index * 8;
        let (Some(fd), Some(events)) = (memory.u32(at), memory.u16(at + 4)) else {
            return outside("waits in poll for descriptors that can't be read");
        };
        if fd.cast_signed() >= 0 {
            let has = |flag: i16| events.cast_signed() & flag != 0;
            fds.push((fd.cast_signed(), has(libc::POLLIN), has(libc::POLLOUT)));
        }
    }
    together(scene, task, "poll", &fds, timeout)
}

pub(super) fn selects(
    scene: &Scene,
    task: &Task,
    memory: &Memory,
    arguments: [u64; 6],
    timeout: Option<f64>,
) -> Wait {
    let [count, read, write, ..] = arguments;
    // Each set is an array of longs. The kernel writes them only at the end.
    let has = |set: u64, fd: u64| {
        set != 0 && memory.u64(set + fd / 64 * 8).is_some_and(|bits| bits >> (fd % 64) & 1 == 1)
    };
    let fds: Vec<(i32, bool, bool)> = (0..count.min(1024))
        .map(|fd| (fd as i32, has(read, fd), has(write, fd)))
        .filter(|(_, read, write)| *read || *write)
        .collect();
    together(scene, task, "select", &fds, timeout)
}

pub(super) fn epoll(scene: &Scene, task: &Task, fd: i32, timeout: Option<f64>) -> Wait {
    let (what, wakers) = descriptor::describe(scene, task, fd, Wish::Read);
    match timeout {
        Some(seconds) => {
            outside(format!("waits in epoll_wait({fd}) for up to {} for {what}", long(seconds)))
        }
        None => Wait { what: format!("waits in epoll_wait({fd}) for {what}"), wakers },
    }
}
