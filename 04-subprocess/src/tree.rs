use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use fork::{Child, Signal, WaitError};
use nix::unistd::Pid;

/// How long we try to stop all, and then wait for their end. One that can't be stopped, because it waits
/// for a broken disk, does not keep the others alive.
const PATIENCE: Duration = Duration::from_secs(1);

/// Ends children of ours and all that descend from them, and with `group` all in the process group that
/// the first one leads. Waits until they have ended, but reaps nobody.
///
/// Killed one after the other they would get away: the children of a dead process are nobody's, and one
/// that was not yet looked at makes new ones. So the tree is frozen from the top down first. This also
/// makes the numbers safe: a stopped parent reaps nobody, so the number of its child, dead or alive,
/// stays that child's.
pub(crate) fn kill(children: &[&Child], group: bool) -> Result<(), WaitError> {
    let leader = children.first().filter(|_| group);
    // The group at once, by the kernel. Whoever can't be signalled does not keep the others alive.
    let signal = |signal| {
        let group = leader.map_or(Ok(()), |leader| leader.signal_group(signal));
        children.iter().map(|child| child.signal(signal)).fold(group, Result::and)
    };
    let stopped = signal(Signal::SIGSTOP);

    let mut tree = Tree {
        roots: children.iter().map(|child| child.pid()).collect(),
        group: leader.map(|leader| leader.pid()),
        ..Tree::default()
    };
    tree.freeze();

    // From the leaves up, for the same reason.
    for &pid in tree.below.iter().rev() {
        let _ = nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let killed = signal(Signal::SIGKILL);
    tree.until_dead();
    stopped.and(killed)
}

#[derive(Default)]
struct Tree {
    /// Our children, which their handles signal.
    roots: BTreeSet<i32>,
    /// The group that the kernel signals.
    group: Option<i32>,
    /// Those below, each after its parent, which we signal by number.
    below: Vec<i32>,
    /// Of all these, who was seen stopped, or dead, and makes no more children.
    frozen: BTreeSet<i32>,
}

impl Tree {
    /// Stops all below roots and group, which were told to stop.
    fn freeze(&mut self) {
        poll(|| {
            let mut all_frozen = true;
            // In this look only those count whose parent was seen stopped in an earlier one: another
            // parent may have reaped its child since, and the number be a stranger's.
            let parents = self.frozen.clone();
            let all: Vec<_> = processes().collect();
            // In vfork(2) a parent waits, and does not stop, until its child executes a program: which
            // that child, if we stopped it with its group, never will.
            let is_stopped = |state| matches!(state, 'T' | 't');
            let stopped = all.iter().filter(|(_, process)| is_stopped(process.state));
            let waiting: BTreeSet<i32> = stopped.map(|(_, child)| child.parent).collect();
            for (pid, process) in all {
                let told = self.has(pid, &process);
                if parents.contains(&pid) || !told && !parents.contains(&process.parent) {
                    continue;
                }
                all_frozen = false;
                if !told {
                    let _ = nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGSTOP);
                    self.below.push(pid);
                } else if match process.state {
                    'D' => waiting.contains(&pid),
                    state => is_stopped(state) || is_dead(state),
                } {
                    self.frozen.insert(pid);
                }
            }
            all_frozen
        });
    }

    /// Who is killed needs a moment to die. Whoever is adopted is reaped by the adopter.
    fn until_dead(&self) {
        poll(|| {
            !processes().any(|(pid, process)| self.has(pid, &process) && !is_dead(process.state))
        });
    }

    fn has(&self, pid: i32, process: &Process) -> bool {
        self.roots.contains(&pid) || self.group == Some(process.group) || self.below.contains(&pid)
    }
}

/// Looks until it is true, or too late.
fn poll(mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() && Instant::now() < deadline {
        std::thread::yield_now();
    }
}

fn is_dead(state: char) -> bool {
    matches!(state, 'Z' | 'X')
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
    // In a pid namespace that sees the /proc of another one, its numbers are not ours: then there is no
    // tree to be seen, and children and group are all.
    let this = fs::read_link("/proc/self").ok();
    let ours = this.is_some_and(|this| this.as_os_str() == Pid::this().to_string().as_str());
    let entries = ours.then(|| fs::read_dir("/proc")).into_iter().flatten().flatten().flatten();
    entries.filter_map(move |entry| process(entry.file_name().to_str()?.parse().ok()?))
}
