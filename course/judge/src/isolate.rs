//! Namespaces for an isolated program: pids, mounts and IPC objects of its own.
//!
//! It takes two steps in two processes. The supervisor enters, so that it sees the same objects and
//! the same /dev/shm as the program; the pid namespace holds for its next child only, which becomes
//! process 1 in it. That one's child, the case, mounts a /proc of the namespace, which nobody
//! outside may do, and becomes the caller's user again.

use std::fs;
use std::io;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{getegid, geteuid};

use crate::{confine, folder};

/// The supervisor's step: whether it succeeded, and what to say of it.
pub(crate) fn enter(folder: &Path) -> (bool, Vec<String>) {
    let mut means = Vec::new();
    let spaces = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC;
    let (user, group) = (geteuid(), getegid());
    let mut place = "namespace".to_owned();
    let entered = match unshare(spaces) {
        // Who is not root becomes the root of a user namespace, if the system lets him.
        Err(_) => {
            unshare(spaces | CloneFlags::CLONE_NEWUSER).map_err(io::Error::from).and_then(|()| {
                place = format!("namespace {user} {group}");
                map_ids(&format!("0 {user} 1"), &format!("0 {group} 1"))
            })
        }
        Ok(()) => Ok(()),
    };
    let entered = entered.and_then(|()| fs::write(folder.join(folder::PLACE), &place));
    if let Err(error) = entered {
        means.push(format!("no pid namespace ({error}): held as a program that is not isolated"));
        return (false, means);
    }
    means.push("pid namespace: the kernel ends everything in it at once".to_owned());
    if place.len() > "namespace".len() {
        means.push("user namespace: needed for the others, its ids are the caller's".to_owned());
    }
    match private_mounts().and_then(|()| mount_new("tmpfs", "/dev/shm", MsFlags::empty())) {
        Ok(()) => means.push("IPC namespace and a /dev/shm of its own".to_owned()),
        Err(error) => means.push(format!("IPC namespace, but no /dev/shm of its own ({error})")),
    }
    // Where the machine has message queues in the file system, those of the namespace.
    if Path::new("/dev/mqueue").exists() {
        let _ = mount_new("mqueue", "/dev/mqueue", MsFlags::empty());
    }
    (true, means)
}

/// The case's step. Says what it could not do where the supervisor looks.
pub(crate) fn settle(folder: &Path, most: u64, confined: bool) -> io::Result<()> {
    let Ok(place) = fs::read_to_string(folder.join(folder::PLACE)) else { return Ok(()) };
    // This /proc is still the one outside, and so is the number in it.
    let outside = fs::read_link("/proc/self")?;
    unshare(CloneFlags::CLONE_NEWNS)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let mounted = private_mounts().and_then(|()| mount_new("proc", "/proc", flags));
    let means = match mounted {
        Ok(()) => "a /proc of the namespace".to_owned(),
        Err(error) => format!("no /proc of the namespace ({error}): it shows the pids outside"),
    };
    folder::note(folder, &means);
    if confined {
        confine::confine(folder)?;
    }
    let ids: Vec<&str> = place.split(' ').skip(1).collect();
    if let [user, group] = ids[..] {
        unshare(CloneFlags::CLONE_NEWUSER)?;
        map_ids(&format!("{user} 0 1"), &format!("{group} 0 1"))?;
        // It counts the processes of the user in this namespace: the program's, and no others. A
        // little more, so that it is the control group that refuses: that one remembers.
        setrlimit(Resource::RLIMIT_NPROC, most.saturating_add(8), most.saturating_add(8))?;
    }
    folder::publish(folder, folder::PID, &outside.to_string_lossy())
}

fn map_ids(users: &str, groups: &str) -> io::Result<()> {
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", users)?;
    fs::write("/proc/self/gid_map", groups)
}

/// What is mounted from now on is seen in this mount namespace only.
fn private_mounts() -> nix::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
}

fn mount_new(kind: &str, place: &str, flags: MsFlags) -> nix::Result<()> {
    mount(Some(kind), place, Some(kind), flags, None::<&str>)
}
