//! The sentence for each system call that a thread can wait in, and who could end the wait.

use nix::sys::signal::Signal;

use super::call::{self, Call, Memory};
use super::clock::{left, long};
use super::deadlock::list;
use super::descriptor::{self, Wish};
use super::many::{epoll, limit, polls, selects};
use super::scene::{Scene, Task};
use super::{futex, lock, socket};
use crate::proc::Stat;

/// What a thread does, after "process 812 (cat) …".
pub(super) struct Wait {
    pub what: String,
    pub wakers: Wakers,
}

/// A process of which any thread will do, or one thread of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waker {
    pub pid: i32,
    pub thread: Option<i32>,
}

/// Who could end a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wakers {
    /// Time, a person, the network, some other program; or it is not known.
    Outside,
    /// Any of these, and nobody else.
    Only(Vec<Waker>),
}

impl Wakers {
    /// These processes; if one is not the program's, nobody can say what it will do.
    pub(super) fn processes(scene: &Scene, pids: impl IntoIterator<Item = i32>) -> Wakers {
        let mut wakers = Vec::new();
        for pid in pids {
            // One that has ended does nothing more, but that may be what is waited for.
            if scene.processes.get(&pid).is_none_or(Stat::is_zombie) {
                return Wakers::Outside;
            }
            wakers.push(Waker { pid, thread: None });
        }
        Wakers::Only(wakers)
    }

    /// Without the thread that waits itself; the others of its process stay.
    pub(super) fn but(self, scene: &Scene, task: &Task) -> Wakers {
        let Wakers::Only(wakers) = self else { return self };
        let mut rest: Vec<Waker> = Vec::new();
        for waker in wakers {
            if waker.pid != task.pid {
                rest.push(waker);
                continue;
            }
            let others = scene.threads(task.pid).filter(|other| other.tid != task.tid);
            rest.extend(others.map(|it| Waker { pid: it.pid, thread: Some(it.tid) }));
        }
        Wakers::Only(rest)
    }

    pub(super) fn or(self, other: Wakers) -> Wakers {
        match (self, other) {
            (Wakers::Only(mut these), Wakers::Only(those)) => {
                these.extend(those);
                Wakers::Only(these)
            }
            _ => Wakers::Outside,
        }
    }
}

pub(super) fn outside(what: impl Into<String>) -> Wait {
    Wait { what: what.into(), wakers: Wakers::Outside }
}

pub(super) fn of(scene: &Scene, task: &Task) -> Wait {
    match task.state {
        'T' => return outside("is stopped by a signal; SIGCONT would let it go on"),
        't' => return outside("is stopped by its tracer"),
        _ => {}
    }
    let mut wait = match task.call {
        Call::Running => runs(scene, task),
        Call::In(number, arguments) => in_call(scene, task, number, arguments)
            .unwrap_or_else(|| other(scene, task, Some(number))),
        Call::InNone => other(scene, task, None),
        Call::Unknown => unknown(scene, task),
    };
    // It woke, and waits again: what it waits for is looked at, not slept for.
    if task.slept > 1 && task.call != Call::Running {
        wait.what += &format!("; it woke {} times in {:.2} s", task.slept, scene.looked);
        wait.wakers = Wakers::Outside;
    }
    wait
}

fn runs(scene: &Scene, task: &Task) -> Wait {
    outside(format!("runs: {:.2} s of processor time in {:.2} s", task.ran, scene.looked))
}

fn other(scene: &Scene, task: &Task, number: Option<i64>) -> Wait {
    if task.state == 'R' {
        return runs(scene, task);
    }
    let place = call::place(task.pid, task.tid);
    let place = place.map_or_else(String::new, |place| format!(" at {place}"));
    let how = if task.state == 'D' { "waits, and can't be interrupted, " } else { "waits " };
    outside(match number {
        Some(number) => format!("{how}in system call {number}, in the kernel{place}"),
        None => format!("{how}in the kernel{place}"),
    })
}

/// Nobody may read its system call: what is left is the state, and sometimes the kernel's function.
fn unknown(scene: &Scene, task: &Task) -> Wait {
    let mut wait = other(scene, task, None);
    if task.state != 'R' {
        wait.what += "; its system call can't be read (no right to trace it), so not what for";
    }
    wait
}

fn in_call(scene: &Scene, task: &Task, number: i64, arguments: [u64; 6]) -> Option<Wait> {
    let memory = Memory::of(task.pid);
    let [first, second, third, fourth, ..] = arguments;
    let fd = first as i32;
    let on = |verb: &str, wish: Wish| {
        let (what, wakers) = descriptor::describe(scene, task, fd, wish);
        Wait { what: format!("waits in {verb}({fd}) on {what}"), wakers }
    };
    let seconds = |address: u64| memory.seconds(address);
    Some(match number {
        libc::SYS_read => on("read", Wish::Read),
        libc::SYS_readv => on("readv", Wish::Read),
        libc::SYS_recvfrom => on("recvfrom", Wish::Read),
        libc::SYS_recvmsg => on("recvmsg", Wish::Read),
        libc::SYS_write => on("write", Wish::Write),
        libc::SYS_writev => on("writev", Wish::Write),
        libc::SYS_sendto => on("sendto", Wish::Write),
        libc::SYS_sendmsg => on("sendmsg", Wish::Write),
        libc::SYS_splice => on("splice", Wish::Read),
        libc::SYS_accept | libc::SYS_accept4 => {
            let mut wait = on("accept", Wish::Read);
            wait.what += ": nobody connects";
            wait
        }
        libc::SYS_connect => {
            let to = socket::name(&memory, second).unwrap_or_else(|| "an address".to_owned());
            outside(format!("waits in connect({fd}) for an answer from {to}"))
        }
        libc::SYS_mq_timedreceive => on("mq_receive", Wish::Read),
        libc::SYS_mq_timedsend => on("mq_send", Wish::Write),

        libc::SYS_wait4 => {
            let pid = first as u32;
            match pid.cast_signed() {
                pid @ 1.. => child(scene, task, "waitpid", pid),
                _ => any_child(scene, task, "waitpid"),
            }
        }
        libc::SYS_waitid => match first as u32 {
            libc::P_PID => child(scene, task, "waitid", second as i32),
            libc::P_PIDFD => {
                let (what, wakers) = descriptor::describe(scene, task, second as i32, Wish::Read);
                Wait { what: format!("waits in waitid for {what}"), wakers }
            }
            _ => any_child(scene, task, "waitid"),
        },
        libc::SYS_clone | libc::SYS_clone3 => vfork(scene, task),

        libc::SYS_futex => return futex::wait(scene, task, arguments),

        libc::SYS_nanosleep => sleeps(seconds(first), None),
        libc::SYS_clock_nanosleep => {
            let absolute = second as i32 & libc::TIMER_ABSTIME != 0;
            sleeps(seconds(third), absolute.then_some(first as i32))
        }

        libc::SYS_ppoll => {
            polls(scene, task, &memory, first, second, limit(seconds(third), third == 0))
        }
        libc::SYS_pselect6 => selects(scene, task, &memory, arguments, seconds(arguments[4])),
        libc::SYS_epoll_pwait => {
            let timeout = fourth as i32;
            epoll(scene, task, fd, (timeout >= 0).then(|| f64::from(timeout) / 1e3))
        }
        libc::SYS_epoll_pwait2 => epoll(scene, task, fd, seconds(fourth)),

        libc::SYS_flock => {
            let (what, wakers) = lock::owners(scene, task, fd);
            Wait { what: format!("waits in flock({fd}) for a lock on {what}"), wakers }
        }
        libc::SYS_fcntl => {
            let (what, wakers) = lock::owners(scene, task, fd);
            Wait { what: format!("waits in fcntl({fd}) for a lock on {what}"), wakers }
        }

        libc::SYS_rt_sigsuspend => outside("waits in sigsuspend for a signal: none comes"),
        libc::SYS_rt_sigtimedwait => {
            let names = memory.u64(first).map(signals).unwrap_or_default();
            outside(format!("waits in sigwait for one of {names}: none comes"))
        }

        libc::SYS_semop | libc::SYS_semtimedop => {
            let (index, change) = (memory.u16(second), memory.u16(second + 2));
            let change = change.map_or(0, u16::cast_signed);
            let what = match change {
                0 => "to become zero".to_owned(),
                _ => format!("to be at least {}", -i32::from(change)),
            };
            let index = index.map_or_else(|| "?".to_owned(), |index| index.to_string());
            outside(format!("waits in semop for semaphore {index} of System V set {fd} {what}"))
        }
        libc::SYS_msgrcv => {
            outside(format!("waits in msgrcv for a message in System V queue {fd}: it has none"))
        }
        libc::SYS_msgsnd => outside(format!("waits in msgsnd: System V queue {fd} is full")),

        libc::SYS_openat => opens(&memory, second, third),
        libc::SYS_restart_syscall => restarted(task),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => opens(&memory, first, second),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_pause => outside("waits in pause for a signal: none comes"),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_vfork => vfork(scene, task),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => {
            let timeout = third as i32;
            let timeout = (timeout >= 0).then(|| f64::from(timeout) / 1e3);
            polls(scene, task, &memory, first, second, limit(timeout, timeout.is_none()))
        }
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => {
            // A struct timeval: microseconds.
            let timeout = seconds(arguments[4]).map(|it| it.trunc() + it.fract() * 1e3);
            selects(scene, task, &memory, arguments, timeout)
        }
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => {
            let timeout = fourth as i32;
            epoll(scene, task, fd, (timeout >= 0).then(|| f64::from(timeout) / 1e3))
        }
        _ => return None,
    })
}

fn child(scene: &Scene, task: &Task, verb: &str, pid: i32) -> Wait {
    // It gave the number that it knows, in its own namespace.
    let known = scene.children(task.pid).into_iter().find(|child| {
        *child == pid || scene.name(*child).ends_with(&format!(", {pid} in its namespace"))
    });
    let Some(child) = known else {
        return outside(format!(
            "waits in {verb} for process {pid}, which is no child of its any more"
        ));
    };
    let wakers = Wakers::processes(scene, [child]);
    let what = format!(
        "waits in {verb} for its child {child} ({}), which {}",
        scene.name(child),
        scene.doing(child)
    );
    Wait { what, wakers }
}

fn any_child(scene: &Scene, task: &Task, verb: &str) -> Wait {
    let children = scene.children(task.pid);
    let words: Vec<String> = children
        .iter()
        .map(|&pid| format!("{pid} ({}), which {}", scene.name(pid), scene.doing(pid)))
        .collect();
    match &words[..] {
        [] => outside(format!("waits in {verb} for any child, and has none that can be seen")),
        [one] => Wait {
            what: format!("waits in {verb} for any child; it has one, {one}"),
            wakers: Wakers::processes(scene, children),
        },
        _ => Wait {
            what: format!("waits in {verb} for any of its children {}", list(&words)),
            wakers: Wakers::processes(scene, children),
        },
    }
}

fn vfork(scene: &Scene, task: &Task) -> Wait {
    let what = "waits in vfork until its child executes a program or ends";
    Wait { what: what.to_owned(), wakers: Wakers::processes(scene, scene.children(task.pid)) }
}

/// For so many seconds, or until that time by a clock.
fn sleeps(seconds: Option<f64>, clock: Option<i32>) -> Wait {
    outside(match (seconds, clock) {
        (None, _) => "sleeps".to_owned(),
        (Some(seconds), None) => format!("sleeps for {}", long(seconds)),
        (Some(until), Some(clock)) => match left(until, clock) {
            Some(left) => format!("sleeps for another {}", long(left)),
            None => "sleeps until some time".to_owned(),
        },
    })
}

/// The names of the signals in a set of the kernel's.
fn signals(set: u64) -> String {
    let numbers = (1..=64).filter(|number| set >> (number - 1) & 1 == 1);
    let names: Vec<String> = numbers
        .map(|number| match Signal::try_from(number) {
            Ok(signal) => signal.as_str().to_owned(),
            Err(_) => format!("signal {number}"),
        })
        .collect();
    list(&names)
}

/// Of what one opens, only a FIFO keeps one waiting; or a device that does not answer.
fn opens(memory: &Memory, path: u64, flags: u64) -> Wait {
    let path = memory.text(path).unwrap_or_else(|| "a file".to_owned());
    let (how, other) = match flags as i32 & libc::O_ACCMODE {
        libc::O_WRONLY => ("writing", "reading"),
        _ => ("reading", "writing"),
    };
    outside(format!("waits in open of the FIFO {path} for {how}: nobody has it open for {other}"))
}

/// A call that a stop interrupted, and that the kernel went on with, has lost its number.
fn restarted(task: &Task) -> Wait {
    let place = call::place(task.pid, task.tid).unwrap_or_default();
    outside(match place {
        place if place.contains("nanosleep") => "sleeps; it was interrupted before".to_owned(),
        place if place.contains("poll") => "waits in poll; it was interrupted before".to_owned(),
        place if place.contains("futex") => {
            "waits for a futex, with a timeout; it was interrupted before".to_owned()
        }
        place => format!("waits in a call that was interrupted before, in the kernel at {place}"),
    })
}
