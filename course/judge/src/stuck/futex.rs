//! Futexes: locks, condition variables, parked threads and joins, below their names.
//!
//! The kernel knows an address and who sleeps there. Who is to wake them is the program's secret,
//! unless the word holds a thread's number, as some locks and a join do.

use std::fs;

use super::call::Memory;
use super::deadlock::list;
use super::scene::{Scene, Task};
use super::wait::{Wait, Waker, Wakers};

/// What of an operation is the command; the rest are flags.
const COMMAND: u64 = 0x7f;
/// What of the word of a priority inheriting or robust lock is a thread's number.
const THREAD: u32 = 0x3fff_ffff;

/// The argument `val3` of FUTEX_WAIT_BITSET and its timeout's clock are of no use here.
pub(super) fn wait(scene: &Scene, task: &Task, arguments: [u64; 6]) -> Option<Wait> {
    let [address, operation, _, timeout, ..] = arguments;
    let inherits = match i32::try_from(operation & COMMAND).ok()? {
        libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET => false,
        libc::FUTEX_LOCK_PI | libc::FUTEX_WAIT_REQUEUE_PI | libc::FUTEX_LOCK_PI2 => true,
        _ => return None,
    };
    let memory = Memory::of(task.pid);
    let word = memory.u32(address);
    let shared = mapping(task.pid, address).filter(|place| place.shared);
    let mut what = match &shared {
        Some(place) => format!("waits for a futex in memory that processes share, {}", place.name),
        None => format!("waits for a futex at {address:#x}"),
    };
    let mut wakers = everybody_else(scene, task, shared.as_ref());
    if let Some(word) = word {
        let (said, owner) = meaning(scene, task, &memory, address, word, inherits);
        what += &said;
        if let Some(owner) = owner {
            wakers = Wakers::Only(vec![owner]);
        }
    }
    let others: Vec<String> = scene
        .threads(task.pid)
        .filter(|other| other.tid != task.tid && sleeps_at(other, address))
        .map(|other| other.tid.to_string())
        .collect();
    match others.len() {
        0 => {}
        1 => what += &format!("; thread {} waits for the same one", others[0]),
        _ => what += &format!("; threads {} wait for the same one", list(&others)),
    }
    if timeout != 0 {
        what += "; it has a timeout";
        wakers = Wakers::Outside;
    } else if shared.is_none() && scene.is_single(task.pid) {
        what += "; the process has no other thread that could wake it";
    }
    Some(Wait { what, wakers })
}

/// What the word says, and whose turn it is if it says that.
fn meaning(
    scene: &Scene,
    task: &Task,
    memory: &Memory,
    address: u64,
    word: u32,
    inherits: bool,
) -> (String, Option<Waker>) {
    let thread = |number: u32| {
        let number = number.cast_signed();
        scene.tasks.iter().find(|other| other.tid == number)
    };
    let named = |owner: &Task| Some(Waker { pid: owner.pid, thread: Some(owner.tid) });
    if inherits {
        let number = word & THREAD;
        return match thread(number) {
            Some(owner) => (format!("; its holder is thread {number}"), named(owner)),
            None => (format!("; its holder was thread {number}, which is no more"), None),
        };
    }
    if let Some(other) = thread(word).filter(|other| other.pid == task.pid) {
        // The C library clears this word at the thread's end, and wakes who joins it.
        return (format!("; the word holds {word}: it joins thread {word}"), named(other));
    }
    // A lock with "there are waiters" in its word. The C library's has its owner two words on, as
    // long as that is a thread it is one of those; and Rust's std has not.
    if word == 2 {
        let owner = memory.u32(address + 8).and_then(thread);
        return match owner.filter(|owner| owner.pid == task.pid) {
            Some(owner) if owner.tid == task.tid => (
                "; the word holds 2, as in a lock of the C library that this thread itself holds"
                    .to_owned(),
                named(owner),
            ),
            Some(owner) => (
                format!(
                    "; the word holds 2, as in a lock of the C library that thread {} holds",
                    owner.tid
                ),
                named(owner),
            ),
            None => (
                "; the word holds 2, as in a std Mutex that is locked and waited for: \
                 it does not say who holds it"
                    .to_owned(),
                None,
            ),
        };
    }
    if word == u32::MAX {
        let said = "; the word holds -1, as in a parked thread (park, a channel's recv, a scope)";
        return (said.to_owned(), None);
    }
    (format!("; the word holds {word}, and does not say for whom it waits"), None)
}

fn sleeps_at(task: &Task, address: u64) -> bool {
    matches!(task.call, super::call::Call::In(libc::SYS_futex, [at, ..]) if at == address)
}

struct Mapping {
    shared: bool,
    name: String,
    /// Device, inode: what tells this memory from other memory.
    key: String,
}

/// The mapping that an address is in.
fn mapping(pid: i32, address: u64) -> Option<Mapping> {
    mappings(pid).into_iter().find(|(range, _)| range.contains(&address)).map(|(range, mut it)| {
        it.name = format!("{} at {:#x}", it.name, address - range.start);
        it
    })
}

fn mappings(pid: i32) -> Vec<(std::ops::Range<u64>, Mapping)> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (begin, end) = fields.first()?.split_once('-')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let name = match fields.get(5..).map(|words| words.join(" ")) {
            Some(name) if !name.is_empty() && !name.starts_with("/dev/zero") => name,
            _ => "anonymous".to_owned(),
        };
        let shared = fields.get(1)?.ends_with('s');
        let key = format!("{} {}", fields.get(3)?, fields.get(4)?);
        Some((hex(begin)?..hex(end)?, Mapping { shared, name, key }))
    };
    maps.lines().filter_map(parse).collect()
}

/// Who else could wake it: the process's other threads, or those of all that share the memory.
fn everybody_else(scene: &Scene, task: &Task, shared: Option<&Mapping>) -> Wakers {
    let has = |pid: i32| {
        pid == task.pid
            || shared.is_some_and(|it| {
                mappings(pid).iter().any(|(_, other)| other.shared && other.key == it.key)
            })
    };
    let pids: Vec<i32> = scene.processes.keys().copied().filter(|pid| has(*pid)).collect();
    let others = scene.tasks.iter().filter(|it| pids.contains(&it.pid) && it.tid != task.tid);
    Wakers::Only(others.map(|it| Waker { pid: it.pid, thread: Some(it.tid) }).collect())
}
