//! Children of children, and who outlives whom.

mod common;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

use common::*;
use judge::{Judge, scenario};
use nix::poll::PollTimeout;
use process::{Error, PrivateFd, Process, Start, active_children, handed_over, parent_process};

fn method(spawned: bool) -> Start {
    if spawned { Start::Spawn } else { Start::Fork }
}

/// Its place in the tree, and then its children's, each of which begins by the other method.
fn node(spawned: bool, place: Vec<u8>) -> Vec<Vec<u8>> {
    if place.len() == 3 {
        return vec![place];
    }
    let below = |number| {
        let place = [place.as_slice(), &[number]].concat();
        started(Process::new(node, (!spawned, place)).method(method(!spawned)))
    };
    let children: Vec<_> = (0..2).map(below).collect();
    let results = children.into_iter().flat_map(|mut child| child.join().expect("its result"));
    [place.clone()].into_iter().chain(results.collect::<Vec<_>>()).collect()
}

scenario!(
    fn has_descendants() {
        process::init();
        let order = ["", "0", "00", "000", "001", "01", "010", "011"];
        let order = order.iter().chain(&["1", "10", "100", "101", "11", "110", "111"]);
        let place = |text: &str| text.bytes().map(|digit| digit - b'0').collect::<Vec<u8>>();
        let order: Vec<Vec<u8>> = order.map(|text| place(text)).collect();
        for start in METHODS {
            let spawned = start == Start::Spawn;
            let result = started(Process::new(node, (spawned, Vec::new())).method(start)).join();
            check_for(start, "order", result.is_ok_and(|result| result == order), "depth first");
        }
    }
);

#[test]
fn children_have_children_and_the_results_come_in_order() {
    Judge::scenario(&has_descendants).declare(both(&["order"])).run().assert_clean();
}

/// What was handed to this process, made private again.
fn private<const N: usize>() -> [PrivateFd; N] {
    let fds = <[OwnedFd; N]>::try_from(handed_over()).expect("so many were handed over");
    PrivateFd::open(|| Ok(fds)).expect("they are open")
}

fn watches_its_parent() {
    let mut tell = File::from(handed_over().remove(0));
    let parent = parent_process().expect("it was started by one");
    let sentinel = parent.sentinel().expect("a descriptor");
    let lives = parent.is_alive() && !is_readable(sentinel, PollTimeout::ZERO);
    writeln!(tell, "{} {} {lives}", parent.name(), parent.pid()).expect("somebody reads");
    let ended = is_readable(sentinel, PollTimeout::NONE) && !parent.is_alive();
    let late = parent_process().expect("as before");
    let late = is_readable(late.sentinel().expect("a descriptor"), PollTimeout::ZERO);
    writeln!(tell, "{ended} {late}").expect("somebody reads");
}

fn is_a_parent(spawned: bool) {
    let [tell] = private();
    let child = Process::new(watches_its_parent, ()).method(method(spawned));
    let _child = started(child.hand_over(vec![tell]));
    forever();
}

scenario!(
    fn loses_a_parent() {
        process::init();
        let none = parent_process().is_none();
        judge::check("first", none, "one that the library did not start has no parent to show");
        for start in METHODS {
            let [told, tell] = pipe();
            let parent = Process::new(is_a_parent, (start == Start::Spawn,)).name("anna");
            let parent = started(parent.method(start).hand_over(vec![tell]));
            let mut told = File::from(told.into_inherited().expect("ours"));
            let expected = format!("anna {} true\n", parent.pid().expect("it was started"));
            let mut first = vec![0; expected.len()];
            told.read_exact(&mut first).expect("the grandchild writes");
            check_for(start, "lives", first == expected.as_bytes(), "it knows who its parent is");
            parent.kill().expect("it is ours");
            check_for(start, "ended", read(told) == "true true\n", "and sees it end by SIGKILL");
        }
    }
);

#[test]
fn a_grandchild_sees_the_childs_death() {
    let report = Judge::scenario(&loses_a_parent).declare(["first"]);
    report.declare(both(&["lives", "ended"])).run().assert_clean();
}

/// What a daemon is busy with when its parent dies.
fn is_busy(with: u8) {
    let mut alive = File::from(handed_over().remove(0));
    alive.write_all(b"!").expect("somebody reads");
    match with {
        0 => forever(),
        1 => std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(forever);
            }
        }),
        2 => {
            std::panic::set_hook(Box::new(|_| forever()));
            panic!("in the middle of it");
        }
        3 => {
            while std::hint::black_box(true) {
                std::hint::spin_loop();
            }
        }
        // Below a daemon there is another one.
        4 => {
            let [alive] = PrivateFd::open(|| Ok([alive.into()])).expect("it is open");
            let child = Process::new(is_busy, (0,)).daemon(true).hand_over(vec![alive]);
            let _child = started(child);
            forever();
        }
        _ => {
            let all = nix::sys::signal::SigSet::all();
            all.thread_block().expect("but for two of them");
            forever();
        }
    }
}

const WAYS: [&str; 7] =
    ["waits", "threads", "panics", "computes", "daemon", "deaf", "has siblings"];

fn has_a_daemon(spawned: bool, with: u8, ends: bool) {
    let [alive, say_begun] = private();
    let daemons: Vec<_> = (0..if with == 6 { 3 } else { 1 })
        .map(|_| {
            let copy = || Ok([alive.fd()?.try_clone_to_owned()?]);
            let child = Process::new(is_busy, (with,)).method(method(spawned)).daemon(true);
            started(child.hand_over(PrivateFd::open(copy).expect("a descriptor").into()))
        })
        .collect();
    drop((alive, say_begun));
    if !ends {
        forever();
    }
    drop(daemons);
}

/// Whether a daemon of a process that is killed, or that returns, ends with it.
fn ends_with_its_parent(start: Start, with: u8, ends: bool) -> bool {
    let ([end, alive], [begun, say_begun]) = (pipe(), pipe());
    let parent = Process::new(has_a_daemon, (start == Start::Spawn, with, ends)).method(start);
    let mut parent = started(parent.hand_over(vec![alive, say_begun]));
    read(begun.into_inherited().expect("ours"));
    let mut end = File::from(end.into_inherited().expect("ours"));
    // One byte for each daemon that lives.
    let mut lives = vec![0; [1, 1, 1, 1, 2, 1, 3][usize::from(with)]];
    if ends {
        return parent.join().is_ok() && end.read_to_end(&mut lives).is_ok();
    }
    end.read_exact(&mut lives).expect("the daemon writes");
    parent.kill().expect("it is ours");
    matches!(parent.join(), Err(Error::Ended { .. })) && end.read(&mut lives).is_ok_and(|n| n == 0)
}

scenario!(
    fn loses_daemons() {
        process::init();
        for start in METHODS {
            for (with, name) in (0..).zip(WAYS) {
                check_for(start, name, ends_with_its_parent(start, with, false), "it is killed");
            }
            check_for(start, "returns", ends_with_its_parent(start, 0, true), "or at its end");
        }
        judge::check("own", active_children().is_empty(), "and here nobody is left");
    }
);

#[test]
fn a_daemon_ends_with_its_parent_whatever_it_does_and_however_that_ends() {
    let report = Judge::scenario(&loses_daemons).declare(both(&WAYS)).declare(["own"]);
    report.declare(both(&["returns"])).run().assert_clean();
}

scenario!(
    fn has_a_daemon_beside_threads() {
        process::init();
        for start in METHODS {
            // Started by a thread that ends, which is no reason for the daemon to end.
            let (mut child, tell) = std::thread::scope(|scope| {
                let starts = scope.spawn(|| {
                    let [told, tell] = pipe();
                    let child = Process::new(wait_and_return, (7,)).method(start).daemon(true);
                    (started(child.hand_over(vec![told])), tell)
                });
                starts.join().expect("no panic")
            });
            let lives = matches!(child.join_timeout(Duration::from_millis(50)), Ok(None));
            drop(tell);
            let value = child.join().is_ok_and(|value| value == 7);
            check_for(start, "lives", lives && value, "it is the process that counts");
        }
    }
);

#[test]
fn a_daemon_outlives_the_thread_that_started_it() {
    let report = Judge::scenario(&has_a_daemon_beside_threads);
    report.declare(both(&["lives"])).run().assert_clean();
}

fn leaves_a_child(spawned: bool) {
    let child = Process::new(outlives, ()).method(method(spawned));
    let _child = started(child.hand_over(private::<2>().into()));
}

fn outlives() {
    let mut fds = handed_over();
    let (mut tell, told) = (File::from(fds.remove(1)), fds.remove(0));
    let parent = parent_process().expect("it was started by one");
    is_readable(parent.sentinel().expect("a descriptor"), PollTimeout::NONE);
    drop(read(told));
    tell.write_all(b"done").expect("somebody reads");
}

scenario!(
    fn leaves_children() {
        process::init();
        for start in METHODS {
            let ([told, tell], [done, say_done]) = (pipe(), pipe());
            let child = Process::new(leaves_a_child, (start == Start::Spawn,)).method(start);
            let mut child = started(child.hand_over(vec![told, say_done]));
            let ended = child.join().is_ok();
            drop(tell);
            let done = read(done.into_inherited().expect("ours"));
            check_for(start, "done", ended && done == "done", "its child does its work");
        }
    }
);

#[test]
fn a_child_that_is_no_daemon_outlives_its_parent() {
    Judge::scenario(&leaves_children).declare(both(&["done"])).run().assert_clean();
}
