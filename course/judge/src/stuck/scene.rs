//! Everybody who is there at the deadline, and which descriptors they have open.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use nix::poll::{PollTimeout, poll};

use super::MOST;
use super::call::{self, Call};
use crate::proc::{self, Stat};

/// How long it looks whether somebody runs.
const LOOK: Duration = Duration::from_millis(100);

/// A thread.
#[derive(Debug)]
pub(super) struct Task {
    pub pid: i32,
    pub tid: i32,
    pub name: String,
    pub state: char,
    pub call: Call,
    /// Seconds of processor time during the look.
    pub ran: f64,
    /// How often it went to sleep during the look.
    pub slept: u64,
}

/// An open descriptor of some process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub pid: i32,
    pub fd: i32,
    /// What /proc/PID/fd/N leads to, such as `pipe:[4711]`.
    pub target: String,
    pub read: bool,
    pub write: bool,
}

pub(super) struct Scene {
    pub tasks: Vec<Task>,
    pub processes: BTreeMap<i32, Stat>,
    /// How long the look took, in seconds.
    pub looked: f64,
    /// Threads that were not looked at.
    pub more: usize,
    /// The descriptors of the program's processes, and of this one.
    holders: Vec<Holder>,
    /// Those of everybody else, read if it comes to that.
    strangers: OnceCell<Vec<Holder>>,
}

impl Scene {
    pub(super) fn look(root: i32) -> Scene {
        let start = Instant::now();
        let before: BTreeMap<(i32, i32), (u64, u64)> = everybody(root)
            .filter_map(|(pid, tid)| Some(((pid, tid), (ticks(pid, tid)?, naps(pid, tid)))))
            .collect();
        let _ = poll(&mut [], PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::ZERO));
        let mut processes = BTreeMap::new();
        for stat in proc::descendants(root) {
            processes.insert(stat.pid, stat);
        }
        let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK);
        let per_second = per_second.ok().flatten().unwrap_or(100) as f64;
        let (mut tasks, mut more) = (Vec::new(), 0);
        for (pid, tid) in everybody(root) {
            let Some(stat) = Stat::of_thread(pid, tid) else { continue };
            // A zombie waits for nobody: what is said of it is that others don't wait for it.
            if stat.is_zombie() {
                continue;
            }
            if tasks.len() == MOST {
                more += 1;
                continue;
            }
            let (ran, slept) = before.get(&(pid, tid)).copied().unwrap_or((stat.ticks, 0));
            tasks.push(Task {
                pid,
                tid,
                name: stat.name,
                state: stat.state,
                call: call::of(pid, tid),
                ran: stat.ticks.saturating_sub(ran) as f64 / per_second,
                slept: naps(pid, tid).saturating_sub(slept),
            });
        }
        let looked = start.elapsed().as_secs_f64();
        let this = std::process::id().cast_signed();
        let holders = processes.keys().copied().take(MOST).chain([this]);
        let holders = holders.flat_map(descriptors).collect();
        Scene { tasks, processes, looked, more, holders, strangers: OnceCell::new() }
    }

    /// The threads of a process that were looked at.
    pub(super) fn threads(&self, pid: i32) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(move |task| task.pid == pid)
    }

    pub(super) fn is_single(&self, pid: i32) -> bool {
        self.threads(pid).count() <= 1
    }

    /// The children of a process.
    pub(super) fn children(&self, pid: i32) -> Vec<i32> {
        self.processes.values().filter(|stat| stat.parent == pid).map(|stat| stat.pid).collect()
    }

    /// A thread, as a sentence names it that is about it.
    pub(super) fn who(&self, task: &Task) -> String {
        let process = self.process(task.pid);
        if self.is_single(task.pid) {
            process
        } else if task.tid == task.pid {
            format!("{process}, main thread,")
        } else {
            format!("{process}, thread {} ({}),", task.tid, task.name)
        }
    }

    /// A process, as a sentence names it.
    pub(super) fn process(&self, pid: i32) -> String {
        if pid == std::process::id().cast_signed() {
            return "the judge".to_owned();
        }
        format!("process {pid} ({})", self.name(pid))
    }

    /// A process's name, and its number in its own namespace if that is another.
    pub(super) fn name(&self, pid: i32) -> String {
        let stat = self.processes.get(&pid).cloned().or_else(|| Stat::of(pid));
        let name = stat.map_or_else(|| "gone".to_owned(), |stat| stat.name);
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or("");
        match numbers.split_whitespace().skip(1).last() {
            Some(inside) => format!("{name}, {inside} in its namespace"),
            None => name,
        }
    }

    /// What a process does, for a relative clause: "which …".
    pub(super) fn doing(&self, pid: i32) -> String {
        let states: Vec<char> = self.threads(pid).map(|task| task.state).collect();
        let all = |wanted: &str| !states.is_empty() && states.iter().all(|it| wanted.contains(*it));
        match self.processes.get(&pid) {
            None => "is not one of the program's processes".to_owned(),
            Some(stat) if stat.is_zombie() => "has ended and was not waited for".to_owned(),
            _ if all("T") => "is stopped".to_owned(),
            _ if all("t") => "is stopped by its tracer".to_owned(),
            _ if states.contains(&'R') => "runs".to_owned(),
            _ if self.threads(pid).any(|task| task.slept > 1) => "goes on".to_owned(),
            _ => "waits itself".to_owned(),
        }
    }

    pub(super) fn descriptor(&self, pid: i32, fd: i32) -> Option<&Holder> {
        self.holders.iter().find(|holder| holder.pid == pid && holder.fd == fd)
    }

    /// Who has that open; strangers only if none of the program's processes has.
    pub(super) fn holders(&self, wanted: impl Fn(&Holder) -> bool) -> Vec<&Holder> {
        let own: Vec<&Holder> = self.holders.iter().filter(|it| wanted(it)).collect();
        if !own.is_empty() {
            return own;
        }
        let strangers = self.strangers.get_or_init(|| {
            let this = std::process::id().cast_signed();
            let others = proc::numbers("/proc");
            let others = others.filter(|pid| *pid != this && !self.processes.contains_key(pid));
            others.flat_map(descriptors).collect()
        });
        strangers.iter().filter(|it| wanted(it)).collect()
    }
}

fn everybody(root: i32) -> impl Iterator<Item = (i32, i32)> {
    let processes = proc::descendants(root).into_iter();
    processes.flat_map(|stat| proc::threads(stat.pid).into_iter().map(move |tid| (stat.pid, tid)))
}

fn ticks(pid: i32, tid: i32) -> Option<u64> {
    Stat::of_thread(pid, tid).map(|stat| stat.ticks)
}

fn naps(pid: i32, tid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/task/{tid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

fn descriptors(pid: i32) -> Vec<Holder> {
    let numbers = proc::numbers(&format!("/proc/{pid}/fd"));
    let holder = |fd| {
        let target = fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
        let access = super::descriptor::flags(pid, fd)? & libc::O_ACCMODE;
        Some(Holder {
            pid,
            fd,
            target: target.to_string_lossy().into_owned(),
            read: access != libc::O_WRONLY,
            write: access != libc::O_RDONLY,
        })
    };
    numbers.filter_map(holder).collect()
}
