use std::fs;

/// One process, as /proc/PID/stat showed it.
///
/// Source: [proc_pid_stat(5)](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) state: char,
    pub(crate) name: String,
}

impl Process {
    /// `None` when there is no such process (any more).
    pub(crate) fn read(pid: i32) -> Option<Process> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        // The name may contain anything, parentheses and line breaks included; what follows it not.
        let (before, after) = stat.rsplit_once(')')?;
        let (_, name) = before.split_once('(')?;
        let mut fields = after.split_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        Some(Process { pid, parent, state, name: name.escape_debug().to_string() })
    }

    /// All that exist, by number. One that ends while we look may be missing, or lack its parent.
    pub(crate) fn all() -> Vec<Process> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut all: Vec<_> = entries
            .filter_map(|entry| Process::read(entry.file_name().to_str()?.parse().ok()?))
            .collect();
        all.sort_by_key(|process| process.pid);
        all
    }

    /// The state in a word, as ps(1) explains its letters.
    pub(crate) fn state(&self) -> &'static str {
        match self.state {
            'R' => "running",
            'S' => "sleeping",
            'D' => "waiting for a device",
            'Z' => "zombie",
            'T' | 't' => "stopped",
            'I' => "idle",
            _ => "ending",
        }
    }
}
