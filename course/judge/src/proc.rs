//! What /proc says of processes. Any of them may vanish between two reads, so everything is an
//! `Option`, and nothing that is read is believed to have a form.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// A line of /proc/PID/stat, as far as it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat {
    pub pid: i32,
    pub name: String,
    /// `R` runs, `S` sleeps, `D` waits for a device, `T` is stopped, `t` traced, `Z` is a zombie.
    pub state: char,
    pub parent: i32,
    pub group: i32,
    pub session: i32,
    /// Whether it has begun to end: its descriptors are closed from here on, its children given away
    /// a little later.
    pub ending: bool,
    /// Clock ticks since boot: with the pid, it tells a process from a later one of that number.
    pub started: u64,
    /// Clock ticks of processor time.
    pub ticks: u64,
    pub threads: u64,
}

impl Stat {
    pub(crate) fn of(pid: i32) -> Option<Stat> {
        Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    pub(crate) fn of_thread(pid: i32, thread: i32) -> Option<Stat> {
        Stat::parse(&fs::read_to_string(format!("/proc/{pid}/task/{thread}/stat")).ok()?)
    }

    /// The name may contain blanks and brackets: what counts begins after the last one.
    fn parse(line: &str) -> Option<Stat> {
        let (pid, rest) = line.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        let id = |index: usize| fields.get(index)?.parse::<i32>().ok();
        Some(Stat {
            pid: pid.parse().ok()?,
            name: name.to_owned(),
            state: fields.first()?.chars().next()?,
            parent: id(1)?,
            group: id(2)?,
            session: id(3)?,
            // PF_EXITING
            ending: number(6)? & 4 != 0,
            started: number(19)?,
            ticks: number(11)? + number(12)?,
            threads: number(17)?,
        })
    }

    /// What tells this process from any other, ever.
    pub(crate) fn key(&self) -> (i32, u64) {
        (self.pid, self.started)
    }

    pub(crate) fn is_zombie(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// The names in a directory of numbers. It is read bit by bit: in /proc, in ascending order, a
/// process that was made meanwhile still comes if its number is higher.
pub(crate) fn numbers(path: &str) -> impl Iterator<Item = i32> + use<> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The threads of a process.
pub(crate) fn threads(pid: i32) -> Vec<i32> {
    numbers(&format!("/proc/{pid}/task")).collect()
}

/// All processes below `root`, zombies too, parents before children: it looks at everybody's parent.
pub(crate) fn descendants(root: i32) -> Vec<Stat> {
    let mut children: BTreeMap<i32, Vec<Stat>> = BTreeMap::new();
    for stat in numbers("/proc").filter_map(Stat::of) {
        children.entry(stat.parent).or_default().push(stat);
    }
    below(root, |parent| children.remove(&parent).unwrap_or_default())
}

/// The same, quicker by a hundred times where there are a thousand processes: it asks each process
/// for its children. The kernel may leave one out while its sibling ends, so this is for a look and
/// not for a last one. Kernels without `/proc/PID/task/TID/children` exist.
pub(crate) fn tree(root: i32) -> Vec<Stat> {
    if fs::read("/proc/thread-self/children").is_err() {
        return descendants(root);
    }
    below(root, |parent| {
        let mut pids: Vec<i32> = Vec::new();
        for thread in threads(parent) {
            let list = fs::read_to_string(format!("/proc/{parent}/task/{thread}/children"));
            let list = list.unwrap_or_default();
            pids.extend(list.split_whitespace().filter_map(|it| it.parse::<i32>().ok()));
        }
        pids.into_iter().filter_map(Stat::of).collect()
    })
}

fn below(root: i32, mut children: impl FnMut(i32) -> Vec<Stat>) -> Vec<Stat> {
    let mut found = Vec::new();
    // Pids that were reused while this read on could close a circle.
    let mut seen = BTreeSet::from([root]);
    let mut next = vec![root];
    while let Some(parent) = next.pop() {
        for child in children(parent) {
            if seen.insert(child.pid) {
                next.push(child.pid);
                found.push(child);
            }
        }
    }
    found
}
