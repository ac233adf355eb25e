//! Promises for when the process dies or stops that forks the workers.

mod common;

use std::time::{Duration, Instant};

use common::{Gate, double, exists, is_waiting, pass, send, until_gone};
use judge::{Judge, check, scenario};
use nix::sys::signal::Signal;
use pool::{Error, Pool};

scenario!(
    fn kills_the_zygote() {
        let gate = Gate::new();
        let pool = Pool::new(2).expect("a pool");
        let running = pool.apply_async(pass, (1,));
        let (zygote, workers) = (pool.zygote_pid().expect("a zygote"), pool.worker_pids());
        while !workers.iter().any(|pid| is_waiting(*pid)) {
            std::thread::yield_now();
        }
        send(zygote, Signal::SIGKILL);
        let lost = running.get();
        check("lost", matches!(lost, Err(Error::Killed { signal: None, .. })), "it is told so");
        check("again", pool.map(double, 0..100).is_ok(), "there is a new one, with new workers");
        check("new", pool.zygote_pid().is_some_and(|new| new != zygote), "it is another");
        check("old", !exists(zygote), "the old one is reaped");
        // Idle, too.
        send(pool.zygote_pid().expect("a zygote"), Signal::SIGKILL);
        check("idle", pool.map(double, 0..100).is_ok(), "also when nothing ran");
        drop(gate);
        pool.close().join();
    }
);

#[test]
fn a_killed_zygote_is_replaced_and_nothing_hangs() {
    let checks = ["lost", "again", "new", "old", "idle"];
    Judge::scenario(&kills_the_zygote).declare(checks).run().assert_clean();
}

/// A task that forks by the bare system call: the child has all that the worker has open.
fn fork_and_pass(number: u64) -> u64 {
    // SAFETY: a worker has one thread, so its child may do what any process may. It never returns
    // from here.
    if unsafe { libc::fork() } == 0 {
        pass(0);
        // SAFETY: it only ends the process.
        unsafe { libc::_exit(0) };
    }
    pass(number)
}

scenario!(
    fn kills_worker_and_zygote_of_a_forked_task() {
        let gate = Gate::new();
        let pool = Pool::new(1).expect("a pool");
        let running = pool.apply_async(fork_and_pass, (1,));
        let (zygote, worker) = (pool.zygote_pid().expect("a zygote"), pool.worker_pids()[0]);
        while !is_waiting(worker) {
            std::thread::yield_now();
        }
        let children = format!("/proc/{worker}/task/{worker}/children");
        let child = std::fs::read_to_string(children).unwrap_or_default().trim().parse();
        send(zygote, Signal::SIGKILL);
        let lost = running.get_timeout(Duration::from_secs(10));
        let killed = matches!(lost, Err(Error::Killed { pid, signal: None }) if pid == worker);
        check("lost", killed, "its end is seen, although its child has its pipe");
        check("again", pool.apply(double, (2,)).is_ok_and(|it| it == 4), "it is replaced");
        gate.open(1);
        until_gone(child.expect("one child"));
        pool.close().join();
    }
);

#[test]
fn a_child_that_a_task_forked_hides_no_workers_death() {
    let checks = ["lost", "again"];
    Judge::scenario(&kills_worker_and_zygote_of_a_forked_task).declare(checks).run().assert_clean();
}

scenario!(
    fn stops_the_zygote() {
        let pool = Pool::new(2).expect("a pool");
        let zygote = pool.zygote_pid().expect("a zygote");
        send(zygote, Signal::SIGSTOP);
        check("works", pool.map(double, 0..100).is_ok(), "nobody needs it for a task");
        let start = Instant::now();
        pool.terminate();
        let took = start.elapsed();
        check("ends", took < Duration::from_secs(4), &format!("the end took {took:?}"));
        check("gone", !exists(zygote), "it is gone");
    }
);

#[test]
fn a_stopped_zygote_holds_up_neither_tasks_nor_the_end() {
    let checks = ["works", "ends", "gone"];
    Judge::scenario(&stops_the_zygote).declare(checks).run().assert_clean();
}
