//! Who was there: every process and thread that was seen, from when to when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::proc::{self, Stat};
use crate::report::{Seen, SeenThread};

#[derive(Default)]
pub(crate) struct Census {
    processes: BTreeMap<(i32, u64), Seen>,
    threads: BTreeMap<(i32, u64), SeenThread>,
    /// Children of the program's that had ended and not been waited for at some look. One is never
    /// taken from here: a look in the middle of its parent's end may miss it.
    zombies: BTreeSet<(i32, u64)>,
}

impl Census {
    /// Takes in one look at the program's processes; returns how many threads live.
    pub(crate) fn note(&mut self, stats: &[Stat], main: i32, now: Duration) -> u64 {
        let (mut living, mut threads) = (0, BTreeSet::new());
        let zombies: Vec<_> = stats
            .iter()
            .filter(|stat| stat.is_zombie() && stat.parent == main)
            .map(Stat::key)
            .collect();
        // Looked at after them: a child that ended because its parent does (who closes a pipe, say) is
        // the parent's for a moment, and then is given away.
        let waits = || Stat::of(main).is_some_and(|stat| !stat.is_zombie() && !stat.ending);
        if !zombies.is_empty() && waits() {
            self.zombies.extend(zombies);
        }
        for stat in stats {
            if !stat.is_zombie() {
                living += stat.threads;
                self.note_threads(stat, now, &mut threads);
            }
            let seen = self.processes.entry(stat.key()).or_insert_with(|| Seen {
                pid: stat.pid,
                parent: stat.parent,
                name: String::new(),
                threads: 0,
                start: now,
                end: None,
            });
            seen.threads = seen.threads.max(stat.threads);
            seen.name.clone_from(&stat.name);
            // A zombie has ended; and one that a hasty look had missed is there again.
            seen.end = if stat.is_zombie() { seen.end.or(Some(now)) } else { None };
        }
        let keys: BTreeSet<_> = stats.iter().map(Stat::key).collect();
        for (key, seen) in &mut self.processes {
            if seen.end.is_none() && !keys.contains(key) {
                seen.end = Some(now);
            }
        }
        for (key, seen) in &mut self.threads {
            match (seen.end, threads.contains(key)) {
                (None, false) => seen.end = Some(now),
                (_, true) => seen.end = None,
                _ => {}
            }
        }
        living
    }

    fn note_threads(&mut self, stat: &Stat, now: Duration, there: &mut BTreeSet<(i32, u64)>) {
        let all = if stat.threads == 1 {
            vec![stat.clone()]
        } else {
            let numbers = proc::threads(stat.pid).into_iter();
            numbers.filter_map(|thread| Stat::of_thread(stat.pid, thread)).collect()
        };
        for thread in all.iter().filter(|thread| !thread.is_zombie()) {
            there.insert(thread.key());
            let seen = self.threads.entry(thread.key()).or_insert_with(|| SeenThread {
                thread: thread.pid,
                process: stat.pid,
                name: String::new(),
                start: now,
                end: None,
            });
            seen.name.clone_from(&thread.name);
        }
    }

    /// Whether there was anybody for whom the program had not waited.
    pub(crate) fn has_zombies(&self) -> bool {
        !self.zombies.is_empty()
    }

    /// Whether that process, if it is still there, is a child that the program did not wait for.
    pub(crate) fn was_zombie(&self, stat: &Stat) -> bool {
        self.zombies.contains(&stat.key())
    }

    /// Whether a process of that number was seen.
    pub(crate) fn knows(&self, pid: i32) -> bool {
        self.processes.keys().any(|key| key.0 == pid)
    }

    pub(crate) fn into_parts(self) -> (Vec<Seen>, Vec<SeenThread>) {
        let mut processes: Vec<Seen> = self.processes.into_values().collect();
        processes.sort_by_key(|seen| (seen.start, seen.pid));
        let mut threads: Vec<SeenThread> = self.threads.into_values().collect();
        threads.sort_by_key(|seen| (seen.start, seen.thread));
        (processes, threads)
    }
}
