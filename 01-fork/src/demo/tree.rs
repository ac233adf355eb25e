use std::process::id;
use std::{fs, io, mem};

use fork::{Child, PrivateFd};

use super::procfs::Process;
use super::{Outcome, read_to_end, until_ended};

/// Draws the tree below a process, or a small one that it grows for the purpose.
pub(crate) fn run(pid: Option<i32>) -> Outcome {
    match pid {
        Some(pid) => draw(pid),
        None => grow(),
    }
}

struct Member(&'static str, &'static [Member]);

const FAMILY: &[Member] = &[
    Member("anna", &[Member("bert", &[]), Member("carl", &[Member("dora", &[])])]),
    Member("emil", &[]),
];

fn grow() -> Outcome {
    let [stay, end] = PrivateFd::pipe()?;
    let [all_ready, ready] = PrivateFd::pipe()?;
    let family = fork_all(FAMILY, &stay, &ready)?;
    let ended = fork::fork(|| 0)?;

    // Closed by each member when its own children are there, so the end of the file is the event.
    drop((stay, ready));
    read_to_end(all_ready.into_inherited()?)?;
    until_ended(&ended)?;
    draw(id().cast_signed())?;

    drop(end);
    for child in family.iter().chain([&ended]) {
        child.wait()?;
    }
    Ok(())
}

fn fork_all(
    members: &'static [Member],
    stay: &PrivateFd,
    ready: &PrivateFd,
) -> io::Result<Vec<Child>> {
    let fork = |member| {
        let fds = vec![copy(stay)?, copy(ready)?];
        fork::fork_handing(fds, |fds| match live(member, fds) {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("fork: a member of the family: {error}");
                1
            }
        })
        .map_err(io::Error::other)
    };
    members.iter().map(fork).collect()
}

/// In a child: forks its own children, and stays until the first process closes the pipe.
fn live(&Member(name, children): &Member, fds: Vec<std::os::fd::OwnedFd>) -> io::Result<()> {
    fs::write("/proc/self/comm", name)?;
    let fds = <[_; 2]>::try_from(fds).map_err(|_| io::Error::other("two are handed over"))?;
    let [stay, ready] = PrivateFd::open(|| Ok(fds))?;
    let children = fork_all(children, &stay, &ready)?;
    drop(ready);
    read_to_end(stay.into_inherited()?)?;
    for child in children {
        child.wait().map_err(io::Error::other)?;
    }
    Ok(())
}

fn copy(fd: &PrivateFd) -> io::Result<PrivateFd> {
    let [copy] = PrivateFd::open(|| Ok([fd.fd()?.try_clone_to_owned()?]))?;
    Ok(copy)
}

fn draw(root: i32) -> Outcome {
    let process = Process::read(root).ok_or_else(|| format!("there is no process {root}"))?;
    println!("{}", line(&process));
    draw_below(root, "", &mut Process::all());
    Ok(())
}

/// Whoever is drawn is taken out of `all`: numbers are used again, so what was read one by one could
/// even show a process below itself.
fn draw_below(parent: i32, indent: &str, all: &mut Vec<Process>) {
    let (mut children, others): (Vec<_>, Vec<_>) =
        mem::take(all).into_iter().partition(|process| process.parent == parent);
    *all = others;
    let last = children.pop();
    for child in children {
        println!("{indent}├── {}", line(&child));
        draw_below(child.pid, &format!("{indent}│   "), all);
    }
    if let Some(child) = last {
        println!("{indent}└── {}", line(&child));
        draw_below(child.pid, &format!("{indent}    "), all);
    }
}

fn line(process: &Process) -> String {
    format!("{} {} ({})", process.pid, process.name, process.state())
}
