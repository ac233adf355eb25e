//! Locks on files, and who has them: /proc/locks.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::deadlock::list;
use super::scene::{Scene, Task};
use super::wait::Wakers;

/// The locks on the file behind a descriptor: who has them, in words.
pub(super) fn owners(scene: &Scene, task: &Task, fd: i32) -> (String, Wakers) {
    let path = format!("/proc/{}/fd/{fd}", task.pid);
    let Ok(file) = fs::metadata(&path) else {
        return ("a file".to_owned(), Wakers::Outside);
    };
    let name = fs::read_link(&path).map_or_else(|_| "a file".into(), |it| it.display().to_string());
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let mut owners: Vec<i32> = Vec::new();
    for line in locks.lines().filter(|line| !line.contains("->")) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, _, pid, place, ..] = fields[..] else { continue };
        let on_it =
            place.rsplit_once(':').is_some_and(|(_, inode)| inode == file.ino().to_string());
        if on_it && let Ok(pid) = pid.parse::<i32>() {
            owners.push(pid);
        }
    }
    owners.sort_unstable();
    owners.dedup();
    // A lock of flock or of an open file description lives on in copies of the descriptor, after
    // the end of who took it; and -1 stands for the latter's owner.
    let gone = |pid: &i32| *pid != task.pid && !scene.processes.contains_key(pid);
    if owners.is_empty() || owners.iter().any(gone) {
        let open = scene.holders(|it| it.target == name && (it.pid, it.fd) != (task.pid, fd));
        let who: Vec<String> =
            open.iter().map(|it| format!("{} (fd {})", scene.process(it.pid), it.fd)).collect();
        let who = if who.is_empty() { "nobody that is known".to_owned() } else { list(&who) };
        let wakers = Wakers::processes(scene, open.iter().map(|it| it.pid));
        return (format!("{name}, which is locked; it is open in {who}"), wakers);
    }
    let who: Vec<String> = owners.iter().map(|&pid| owner(scene, task, pid)).collect();
    let wakers = Wakers::processes(scene, owners.iter().copied());
    (format!("{name}, which is locked by {}", list(&who)), wakers)
}

fn owner(scene: &Scene, task: &Task, pid: i32) -> String {
    if pid == task.pid {
        return "the process itself, through another descriptor".to_owned();
    }
    format!("{}, which {}", scene.process(pid), scene.doing(pid))
}
