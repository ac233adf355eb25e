//! Control groups: what a process can't leave, whatever it calls.
//!
//! Where they can be made, a run has one of its own in each of two hierarchies: version 2, which can
//! kill all that is in it at once, and the controller `pids`, which bounds how many there are. That
//! is root's right, or that of a user to whom the system hands a part of the tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::poll::{PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::folder;

const MOUNTS: &str = "/sys/fs/cgroup";
/// How long it is tried to empty a group.
const PATIENCE: Duration = Duration::from_millis(500);

/// Makes groups for a run that may have so many processes and threads; says which it could make.
pub(crate) fn make(folder: &Path, most: u64) -> Vec<String> {
    let Some(name) = folder.file_name() else { return Vec::new() };
    let (mut made, mut means) = (Vec::new(), Vec::new());
    for above in places() {
        let group = above.join(name);
        if fs::create_dir(&group).is_err() {
            continue;
        }
        if fs::write(group.join("pids.max"), most.to_string()).is_ok() {
            means.push(format!("control group: the kernel refuses more than {most} processes"));
        }
        if group.join("cgroup.kill").exists() {
            means.push("control group: the kernel ends everything in it at once".to_owned());
        }
        made.push(group.to_string_lossy().into_owned());
    }
    if means.is_empty() {
        means.push("no control group: the supervisor counts and ends by itself".to_owned());
    }
    let _ = fs::write(folder.join(folder::GROUPS), made.join("\n"));
    means
}

/// Where this process may make groups, if anywhere: below its own.
fn places() -> Vec<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut places = Vec::new();
    for line in own.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        // In a cgroup namespace, what is above its root has a path that leads out of it.
        let path = path.trim_start_matches('/');
        if path.split('/').any(|part| part == "..") {
            continue;
        }
        if controllers.is_empty() {
            let unified = Path::new(MOUNTS).join("unified");
            let mount = if unified.exists() { unified } else { PathBuf::from(MOUNTS) };
            places.push(mount.join(path));
        } else if controllers.split(',').any(|it| it == "pids") {
            places.push(Path::new(MOUNTS).join(controllers).join(path));
        }
    }
    places
}

/// Puts this process into the run's groups.
pub(crate) fn join(folder: &Path) -> std::io::Result<()> {
    groups(folder).iter().try_for_each(|group| fs::write(group.join("cgroup.procs"), "0"))
}

fn groups(folder: &Path) -> Vec<PathBuf> {
    let lines = fs::read_to_string(folder.join(folder::GROUPS)).unwrap_or_default();
    lines.lines().map(PathBuf::from).collect()
}

/// Whether the kernel refused a process because there were too many.
pub(crate) fn was_full(folder: &Path) -> bool {
    groups(folder).iter().any(|group| {
        let events = fs::read_to_string(group.join("pids.events")).unwrap_or_default();
        events.lines().any(|line| line.strip_prefix("max ").is_some_and(|count| count != "0"))
    })
}

/// Ends what is in the run's groups, and removes them.
pub(crate) fn end(folder: &Path) {
    let until = Instant::now() + PATIENCE;
    groups(folder).iter().for_each(|group| remove(group, until));
}

fn remove(group: &Path, until: Instant) {
    let _ = fs::write(group.join("cgroup.kill"), "1");
    // A program that uses the judge has groups in it.
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path(), until);
        }
    }
    while fs::remove_dir(group).is_err() && group.exists() && Instant::now() < until {
        let members = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        for pid in members.lines().filter_map(|line| line.parse().ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        crate::sweep::reap();
        let _ = poll(&mut [], PollTimeout::from(1u8));
    }
}
