//! Ends every process below one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollTimeout, poll};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::proc::{self, Stat};

/// How long stopping may take before the killing begins.
const STOPPING: Duration = Duration::from_millis(100);
/// How long the killing is tried: what is left then waits for a device, or belongs to another user.
const KILLING: Duration = Duration::from_millis(600);

/// Ends every process below `root`, and reaps those that are this process's children. Returns what
/// could not be ended.
///
/// First it stops them all, so that none can tell of another's end, or start another because of it;
/// a stopped process dies of SIGKILL all the same.
pub(crate) fn end_below(root: i32) -> Vec<Stat> {
    if root == std::process::id().cast_signed() && reap() {
        return Vec::new();
    }
    let start = Instant::now();
    while chase(root, Signal::SIGSTOP) > 0 && start.elapsed() < STOPPING {}
    loop {
        chase(root, Signal::SIGKILL);
        reap();
        let living: Vec<Stat> =
            proc::descendants(root).into_iter().filter(|stat| !stat.is_zombie()).collect();
        if living.is_empty() || start.elapsed() > STOPPING + KILLING {
            return living;
        }
        let _ = poll(&mut [], PollTimeout::from(1u8));
    }
}

/// Ends every process with that in its environment, as far as it may be read.
pub(crate) fn end_marked(marker: &[u8]) {
    let start = Instant::now();
    let marked = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(marker.len()).any(|part| part == marker)
    };
    loop {
        let found: Vec<i32> = proc::numbers("/proc").filter(marked).collect();
        if found.is_empty() || start.elapsed() > KILLING {
            return;
        }
        for pid in found {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// Takes the status of children that have ended; whether there is no other. Not of all that have, if
/// they end as quickly as they are reaped: who forks without end would keep us here for ever.
pub(crate) fn reap() -> bool {
    for _ in 0..1000 {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return false,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return true,
        }
    }
    false
}

/// Sends a signal to each process below `root`; returns how many there were to send it to.
///
/// A program that forks without end is quicker than a list that is first read and then worked off.
/// So it signals while it reads: /proc is in ascending order, new numbers are higher, and a process
/// that has the signal starts no further one. And it signals a whole process group at once, between
/// two forks of any of its members.
fn chase(root: i32, signal: Signal) -> usize {
    let this = Stat::of(std::process::id().cast_signed());
    let session = this.map_or(0, |stat| stat.session);
    let (mut below, mut groups) = (BTreeSet::from([root]), BTreeSet::new());
    let mut orphans: BTreeMap<i32, Vec<Stat>> = BTreeMap::new();
    let mut sent = 0;
    let mut send = |stat: &Stat| {
        if stat.is_zombie() || (signal == Signal::SIGSTOP && "TtD".contains(stat.state)) {
            return;
        }
        sent += 1;
        // It may have ended meanwhile, or be another user's.
        let _ = kill(Pid::from_raw(stat.pid), signal);
        // A group can't reach beyond its session, and the program has one of its own.
        if stat.session != session && stat.group > 1 && groups.insert(stat.group) {
            let _ = killpg(Pid::from_raw(stat.group), signal);
        }
    };
    for stat in proc::numbers("/proc").filter_map(Stat::of) {
        if below.contains(&stat.parent) {
            below.insert(stat.pid);
            send(&stat);
        } else {
            orphans.entry(stat.parent).or_default().push(stat);
        }
    }
    // A child's number is lower than its parent's once the numbers have begun again.
    let mut next: Vec<i32> = below.into_iter().collect();
    while let Some(parent) = next.pop() {
        for stat in orphans.remove(&parent).unwrap_or_default() {
            next.push(stat.pid);
            send(&stat);
        }
    }
    sent
}
