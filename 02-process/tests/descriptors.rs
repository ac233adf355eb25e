//! What a child has open.

mod common;

use std::fs::{self, File};
use std::io::{self, Write};

use common::*;
use judge::{Judge, scenario};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use process::{Process, Start, handed_over};

/// What this process has open beside its standard descriptors.
fn others() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd").expect("proc is mounted").flatten();
    let targets = entries.filter_map(|entry| {
        let number: i32 = entry.file_name().to_str()?.parse().ok()?;
        (number > 2).then(|| fs::read_link(entry.path()).ok())?
    });
    let targets = targets.map(|target| target.to_string_lossy().into_owned());
    // The listing has one of its own.
    targets.filter(|target| !target.ends_with("/fd")).collect()
}

/// How many descriptors a child has of a parent that has none to hide.
fn inherited(method: Start, parents: usize) -> usize {
    if method == Start::Fork { parents } else { 3 }
}

/// Counts at its start, and then lives until all have been started.
fn count_and_wait() -> usize {
    let count = open_descriptors();
    wait_and_return(0);
    count
}

scenario!(
    fn has_a_hundred_siblings() {
        process::init();
        let before = open_descriptors();
        for method in METHODS {
            let start = |_| {
                let [told, tell] = pipe();
                let child = Process::new(count_and_wait, ()).method(method);
                (started(child.hand_over(vec![told])), tell)
            };
            let all: Vec<_> = (0..100).map(start).collect();
            let inside = all.into_iter().map(|(mut child, tell)| {
                drop(tell);
                child.join().expect("its result")
            });
            let counts: Vec<usize> = inside.collect();
            // What was handed over, and where its answer goes.
            let right = counts.iter().all(|&count| count == inherited(method, before) + 2);
            check_for(method, "same", right, &format!("{counts:?}"));
            let after = open_descriptors();
            check_for(method, "after", after == before, &format!("{after} open after {before}"));
        }
    }
);

#[test]
fn a_childs_number_of_descriptors_does_not_grow_with_its_siblings() {
    let report = Judge::scenario(&has_a_hundred_siblings);
    report.declare(both(&["same", "after"])).run().assert_clean();
}

scenario!(
    fn has_much_open() {
        process::init();
        let before = open_descriptors();
        let plain = File::open("/dev/zero").expect("it exists");
        let exposed = File::open("/dev/full").expect("it exists");
        fcntl(&exposed, FcntlArg::F_SETFD(FdFlag::empty())).expect("it is open");
        let (_private, _pipe) = (pipe(), io::pipe().expect("two descriptors"));
        let [told, tell] = pipe();
        let daemon = Process::new(wait_and_return, (0,)).daemon(true).hand_over(vec![told]);
        let mut daemon = started(daemon);

        let spawned = Process::new(others, ()).method(Start::Spawn);
        let seen = started(spawned).join().expect("its result");
        let alone = matches!(&seen[..], [one] if one.starts_with("/memfd:process"));
        judge::check("spawned", alone, &format!("where its answer goes, and no more: {seen:?}"));
        let seen = started(Process::new(open_descriptors, ())).join().expect("its result");
        // A fork copies what is not private: the two files and the two ends of the ordinary pipe.
        judge::check("forked", seen == before + 4 + 1, "those, its answer, and nothing private");
        drop((plain, exposed, tell));
        daemon.join().expect("its result");
    }
);

#[test]
fn a_spawned_child_holds_no_unrelated_descriptor_not_even_an_exposed_one() {
    Judge::scenario(&has_much_open).declare(["spawned", "forked"]).run().assert_clean();
}

fn count_in_a_child(spawned: bool) -> usize {
    let method = if spawned { Start::Spawn } else { Start::Fork };
    started(Process::new(open_descriptors, ()).method(method)).join().expect("its result")
}

scenario!(
    fn has_grandchildren() {
        process::init();
        let before = open_descriptors();
        for method in METHODS {
            for (name, spawned) in [("forks", false), ("spawns", true)] {
                let child = Process::new(count_in_a_child, (spawned,)).daemon(true);
                let [_end, handed] = pipe();
                let mut child = started(child.method(method).hand_over(vec![handed]));
                let count = child.join().expect("its result");
                // A spawn anywhere between leaves the standard three.
                let inherited = if spawned { 3 } else { inherited(method, before) };
                check_for(method, name, count == inherited + 1, "its answer, and no more");
            }
        }
    }
);

#[test]
fn a_grandchild_has_nothing_of_its_parents_neither_tether_nor_answer_nor_what_was_handed_over() {
    let report = Judge::scenario(&has_grandchildren);
    report.declare(both(&["forks", "spawns"])).run().assert_clean();
}

fn says_its_number(count: usize) -> bool {
    let fds = handed_over();
    let right = fds.len() == count && handed_over().is_empty();
    right && (0u8..).zip(fds).all(|(number, fd)| File::from(fd).write_all(&[b'0' + number]).is_ok())
}

scenario!(
    fn hands_over() {
        process::init();
        for method in METHODS {
            let pipes: Vec<_> = (0..10).map(|_| pipe()).collect();
            let (reads, writes): (Vec<_>, Vec<_>) =
                pipes.into_iter().map(|[read, write]| (read, write)).unzip();
            let child = Process::new(says_its_number, (10usize,)).method(method);
            let right = started(child.hand_over(writes)).join().expect("its result");
            // That these ends says that nobody here can write any more.
            let said = reads.into_iter().map(|fd| read(fd.into_inherited().expect("ours")));
            let said: String = said.collect();
            check_for(method, "order", right && said == "0123456789", &said);
        }
        let before = open_descriptors();
        let many = (0..130).flat_map(|_| pipe()).collect();
        let mut child = Process::new(|| (), ()).method(Start::Spawn).hand_over(many);
        let error = child.start().expect_err("they don't fit into a message");
        let text = error.to_string();
        let none = open_descriptors() == before && child.pid().is_none();
        judge::check("many", none && text.contains("at most 249 descriptors"), &text);
    }
);

#[test]
fn what_is_handed_over_is_open_in_the_child_in_its_order_and_nowhere_else() {
    Judge::scenario(&hands_over).declare(both(&["order"])).declare(["many"]).run().assert_clean();
}

scenario!(
    fn reads_its_input() {
        process::init();
        for method in METHODS {
            // Opened anew, since all who have the same open file share one position in it.
            let reads = || fs::read_to_string("/proc/self/fd/0").expect("it is open");
            let read = started(Process::new(reads, ()).method(method)).join().expect("its result");
            check_for(method, "input", read == "typed", &read);
        }
    }
);

#[test]
fn a_child_of_either_kind_has_its_parents_standard_input() {
    let report = Judge::scenario(&reads_its_input).stdin("typed");
    report.declare(both(&["input"])).run().assert_clean();
}
