use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use fork::{Child, Signal, WaitError};
use nix::unistd::Pid;

/// How long we try to stop all. One that can't be stopped, because it waits for a broken disk, does not
/// keep the others alive.
const PATIENCE: Duration = Duration::from_secs(1);

/// Ends children of ours and all that descend from them, and with `group` all in the process group that
/// the first one leads.
///
/// Killed one after the other they would get away: the children of a dead process are nobody's, and one
/// that was not yet looked at makes new ones. So the tree is frozen from the top down first. This also
/// makes the numbers safe: a stopped parent reaps nobody, so the number of its child, dead or alive,
/// stays that child's.
pub(crate) fn kill(children: &[&Child], group: bool) -> Result<(), WaitError> {
    let leader = children.first().filter(|_| group);
    for child in children {
        child.signal(Signal::SIGSTOP)?;
    }
    // The group at once, by the kernel.
    leader.map_or(Ok(()), |leader| leader.signal_group(Signal::SIGSTOP))?;

    let below = freeze(children, leader.map(|leader| leader.pid()));

    // From the leaves up, for the same reason.
    for &pid in below.iter().rev() {
        // One that took on another user can't be killed, and does not keep the others alive.
        let _ = nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    leader.map_or(Ok(()), |leader| leader.signal_group(Signal::SIGKILL))?;
    children.iter().try_for_each(|child| child.signal(Signal::SIGKILL))
}

/// Stops all below children and group, which were told to stop; gives those below, parents first.
fn freeze(children: &[&Child], group: Option<i32>) -> Vec<i32> {
    let roots: BTreeSet<i32> = children.iter().map(|child| child.pid()).collect();
    let mut below = Vec::new();
    let mut frozen = BTreeSet::new();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut all_frozen = true;
        // Of this look only those are taken whose parent was seen stopped in an earlier one: another
        // parent may have reaped its child since, and the number be a stranger's.
        let parents = frozen.clone();
        for (pid, process) in processes() {
            let told = roots.contains(&pid) || group == Some(process.group) || below.contains(&pid);
            if !told && !parents.contains(&process.parent) || parents.contains(&pid) {
                continue;
            }
            all_frozen = false;
            if !told {
                let _ = nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGSTOP);
                below.push(pid);
            } else if matches!(process.state, 'T' | 't' | 'Z' | 'X') {
                frozen.insert(pid);
            }
        }
        if all_frozen || Instant::now() > deadline {
            return below;
        }
        std::thread::yield_now();
    }
}

struct Process {
    state: char,
    parent: i32,
    group: i32,
}

/// All that exist, with their numbers.
///
/// Source: [proc_pid_stat(5)](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
fn processes() -> impl Iterator<Item = (i32, Process)> {
    let process = |pid: i32| {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        // The name, in parentheses, may contain anything; what follows it not.
        let (_, after) = stat.rsplit_once(')')?;
        let mut fields = after.split_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        Some((pid, Process { state, parent, group }))
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(move |entry| process(entry.file_name().to_str()?.parse().ok()?))
}
