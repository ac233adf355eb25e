//! What a descriptor is, and who else has it open.

use std::fs;
use std::os::unix::fs::FileTypeExt;

use super::deadlock::list;
use super::scene::{Holder, Scene, Task};
use super::socket;
use super::wait::Wakers;

/// What is wanted of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Read,
    Write,
}

/// The flags that it was opened with.
pub(super) fn flags(pid: i32, fd: i32) -> Option<i32> {
    let octal = field(pid, fd, "flags:")?;
    i32::from_str_radix(&octal, 8).ok()
}

/// A line of /proc/PID/fdinfo/N.
fn field(pid: i32, fd: i32, name: &str) -> Option<String> {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).ok()?;
    info.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}

/// What it is, after "on" or "of", and who could make it ready.
pub(super) fn describe(scene: &Scene, task: &Task, fd: i32, wish: Wish) -> (String, Wakers) {
    let Some(holder) = scene.descriptor(task.pid, fd) else {
        return ("a descriptor that can't be looked at".to_owned(), Wakers::Outside);
    };
    let target = holder.target.as_str();
    let outside = |what: &str| (what.to_owned(), Wakers::Outside);
    if target.starts_with("pipe:") {
        return pipe(scene, task, "a pipe", target, wish);
    }
    if target.starts_with("socket:") {
        return socket::describe(scene, task, holder);
    }
    if target.contains("pidfd") {
        let pid = field(task.pid, fd, "Pid:").and_then(|pid| pid.parse().ok()).unwrap_or(-1);
        let what = format!("the end of {}, which {}", scene.process(pid), scene.doing(pid));
        return (what, Wakers::processes(scene, [pid]));
    }
    if target.ends_with("[eventpoll]") {
        return epoll(scene, task, fd);
    }
    for (suffix, what) in [
        ("[eventfd]", "an eventfd that nobody has raised"),
        ("[signalfd]", "a signalfd: no such signal has come"),
        ("[timerfd]", "a timerfd whose time has not come"),
        ("inotify", "an inotify descriptor: no such event has come"),
        ("[userfaultfd]", "a userfaultfd"),
    ] {
        if target.ends_with(suffix) {
            return outside(what);
        }
    }
    let kind = fs::metadata(format!("/proc/{}/fd/{fd}", task.pid)).map(|it| it.file_type());
    match kind {
        Ok(kind) if kind.is_fifo() => {
            pipe(scene, task, &format!("the FIFO {target}"), target, wish)
        }
        Ok(kind) if kind.is_char_device() && is_terminal(target) => match wish {
            Wish::Read => outside(&format!("the terminal {target}: nobody has typed a line")),
            Wish::Write => outside(&format!("the terminal {target}: it is full or stopped")),
        },
        _ => outside(target),
    }
}

fn is_terminal(path: &str) -> bool {
    ["/dev/pts/", "/dev/tty", "/dev/console"].iter().any(|begin| path.starts_with(begin))
}

/// A reader waits for all that could write, a writer for all that could read.
fn pipe(scene: &Scene, task: &Task, name: &str, target: &str, wish: Wish) -> (String, Wakers) {
    let other =
        |it: &Holder| it.target == target && if wish == Wish::Read { it.write } else { it.read };
    let (end, full) = match wish {
        Wish::Read => ("write end", ""),
        Wish::Write => ("read end", "full "),
    };
    let name = name.replacen("a pipe", &format!("a {full}pipe"), 1);
    let holders = scene.holders(other);
    if holders.is_empty() {
        return (format!("{name} whose {end} nobody has open"), Wakers::Outside);
    }
    let wakers = Wakers::processes(scene, holders.iter().map(|it| it.pid)).but(scene, task);
    let itself = |it: &&Holder| it.pid == task.pid;
    if holders.iter().all(itself) {
        let fds = fds(holders.iter().map(|it| it.fd));
        let but = match (wish, scene.is_single(task.pid)) {
            (Wish::Read, true) => "it waits for its own end",
            (Wish::Write, true) => "nobody else could empty it",
            (_, false) => "only another of its threads could help",
        };
        let still = if wish == Wish::Read { "still " } else { "" };
        let process = scene.process(task.pid);
        return (
            format!("{name} whose {end} is {still}open only in {process} itself ({fds}): {but}"),
            wakers,
        );
    }
    if wish == Wish::Read && holders.iter().all(|it| it.pid == std::process::id().cast_signed()) {
        return (
            format!(
                "{name} whose write end is open in the judge: the test has not closed its standard input"
            ),
            Wakers::Outside,
        );
    }
    let still = if wish == Wish::Read { "still " } else { "" };
    (format!("{name} whose {end} is {still}open in {}", who(scene, task, &holders)), wakers)
}

/// The processes that have a descriptor, and what a single one does.
pub(super) fn who(scene: &Scene, task: &Task, holders: &[&Holder]) -> String {
    let mut pids: Vec<i32> = holders.iter().map(|it| it.pid).collect();
    pids.dedup();
    let mut words: Vec<String> = Vec::new();
    for &pid in &pids {
        let fds = fds(holders.iter().filter(|it| it.pid == pid).map(|it| it.fd));
        words.push(if pid == task.pid {
            format!("the process itself ({fds})")
        } else {
            format!("{} ({fds})", scene.process(pid))
        });
    }
    let others: Vec<i32> = pids.into_iter().filter(|pid| *pid != task.pid).collect();
    match others[..] {
        [one] if scene.processes.contains_key(&one) => {
            // Said of the other process, so it comes last.
            words.sort_by_key(|word| !word.starts_with("the process itself"));
            format!("{}, which {}", list(&words), scene.doing(one))
        }
        _ => list(&words),
    }
}

fn fds(fds: impl Iterator<Item = i32>) -> String {
    let fds: Vec<String> = fds.map(|fd| fd.to_string()).collect();
    format!("fd {}", list(&fds))
}

/// What an epoll instance watches.
fn epoll(scene: &Scene, task: &Task, fd: i32) -> (String, Wakers) {
    let info = fs::read_to_string(format!("/proc/{}/fdinfo/{fd}", task.pid)).unwrap_or_default();
    let mut watched = Vec::new();
    for line in info.lines().filter_map(|line| line.strip_prefix("tfd:")) {
        let mut fields = line.split_whitespace();
        let (Some(number), Some(events)) = (fields.next(), fields.nth(1)) else { continue };
        let events = i32::from_str_radix(events, 16).unwrap_or(0);
        let Ok(number) = number.parse() else { continue };
        watched.push((number, events & libc::EPOLLIN != 0, events & libc::EPOLLOUT != 0));
    }
    several(scene, task, &watched)
}

/// Descriptors that are waited for together: number, to read, to write.
pub(super) fn several(scene: &Scene, task: &Task, fds: &[(i32, bool, bool)]) -> (String, Wakers) {
    if fds.is_empty() {
        return ("no descriptor at all".to_owned(), Wakers::Only(Vec::new()));
    }
    let (mut words, mut all) = (Vec::new(), Wakers::Only(Vec::new()));
    for &(fd, read, write) in fds.iter().take(8) {
        let wish = if write && !read { Wish::Write } else { Wish::Read };
        let (what, wakers) = match scene.descriptor(task.pid, fd) {
            // It may hold its own epoll instance.
            Some(holder) if holder.target.ends_with("[eventpoll]") => {
                ("an epoll instance".to_owned(), Wakers::Outside)
            }
            _ => describe(scene, task, fd, wish),
        };
        let verb = if wish == Wish::Write { "to write to fd" } else { "fd" };
        words.push(format!("{verb} {fd}, {what}"));
        all = all.or(wakers);
    }
    if fds.len() > words.len() {
        words.push(format!("and {} more", fds.len() - words.len()));
        all = Wakers::Outside;
    }
    (words.join("; "), all)
}
