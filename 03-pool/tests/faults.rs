//! Promises for when something dies, stops, or is interrupted.

mod common;

use std::time::{Duration, Instant};

use common::{Gate, double, forever, is_waiting, pass, send, two, until_gone, who};
use judge::{Judge, check, scenario};
use nix::sys::signal::Signal;
use pool::{Error, Pool};

/// A task that tells who runs it before it waits at the gate.
fn tell_and_pass(number: u64) -> (u64, i32) {
    (pass(number), who())
}

scenario!(
    fn kills_a_running_worker() {
        let gate = Gate::new();
        let pool = Pool::new(2).expect("a pool");
        let results: Vec<_> =
            (0..40).map(|number| pool.apply_async(tell_and_pass, (number,))).collect();
        let pids = pool.worker_pids();
        // Both wait at the gate, in their first task; all the others are behind them.
        while pids.iter().any(|pid| !is_waiting(*pid)) {
            std::thread::yield_now();
        }
        send(pids[0], Signal::SIGKILL);
        gate.open(40);
        let mut killed = 0;
        for (number, result) in (0_u64..).zip(&results) {
            match result.get() {
                Ok((same, worker)) => {
                    check("value", same == number && worker != pids[0], "of another worker");
                }
                Err(Error::Killed { pid, signal }) => {
                    killed += 1;
                    let told = pid == pids[0] && signal == Some(9);
                    check("told", told, "its error names the worker and the signal");
                }
                Err(error) => _ = check("value", false, &error.to_string()),
            }
        }
        check("one", killed == 1, &format!("{killed} tasks failed"));
        check("replaced", !two(&pool).contains(&pids[0]), "there are two again");
        pool.close().join();
    }
);

#[test]
fn a_killed_worker_fails_only_the_task_that_it_was_running_and_is_replaced() {
    let checks = ["value", "told", "one", "replaced"];
    Judge::scenario(&kills_a_running_worker).declare(checks).run().assert_clean();
}

scenario!(
    fn kills_a_worker_with_answers() {
        // Each gives a hundred answers, which nobody looks at, and is killed in its next task.
        let gate = Gate::new();
        let pool = Pool::new(1).expect("a pool");
        let done: Vec<_> = (0..100).map(|number| pool.apply_async(double, (number,))).collect();
        let last = pool.apply_async(pass, (0,));
        let pid = pool.worker_pids()[0];
        while !is_waiting(pid) {
            std::thread::yield_now();
        }
        send(pid, Signal::SIGKILL);
        until_gone(pid);
        let values = done.iter().map(|result| result.get().ok());
        check("kept", values.eq((0..100).map(|n| Some(2 * n))), "what it had answered is kept");
        check("lost", matches!(last.get(), Err(Error::Killed { .. })), "what it was in is not");
        drop(gate);
        pool.close().join();
    }
);

#[test]
fn a_killed_workers_earlier_answers_are_kept() {
    let report = Judge::scenario(&kills_a_worker_with_answers).declare(["kept", "lost"]).run();
    report.assert_clean();
}

fn panic_or_pass(number: u64) -> u64 {
    assert!(number != 0, "the first");
    pass(number)
}

scenario!(
    fn kills_a_worker_before_anybody_looks() {
        let gate = Gate::new();
        let pool = Pool::new(1).expect("a pool");
        // The pool's own thread is kept in a callback, so that nobody collects what comes.
        let (enter, entered) = std::sync::mpsc::channel();
        let (leave, left) = std::sync::mpsc::channel::<()>();
        pool.apply_async_with(double, (0,), move |_| {
            let _ = enter.send(());
            let _ = left.recv();
        });
        entered.recv().expect("it is called");
        let result = pool.chunk_size(1).map_async(panic_or_pass, 0..8);
        let pid = pool.worker_pids()[0];
        while !is_waiting(pid) {
            std::thread::yield_now();
        }
        send(pid, Signal::SIGKILL);
        until_gone(pid);
        while pool.worker_pids().contains(&pid) {
            std::thread::yield_now();
        }
        gate.open(8);
        // The first in the order of the inputs: lost, it would be told as killed, as the second is.
        let first = result.get();
        check("kept", matches!(first, Err(Error::Panicked { .. })), "what it had answered is kept");
        drop((gate, leave));
        pool.close().join();
    }
);

#[test]
fn answers_that_nobody_had_collected_at_a_workers_death_are_kept() {
    let judge = Judge::scenario(&kills_a_worker_before_anybody_looks).declare(["kept"]);
    judge.run().assert_clean();
}

scenario!(
    fn kills_an_idle_worker() {
        let pool = Pool::new(2).expect("a pool");
        let before = pool.worker_pids();
        check("before", pool.map(double, 0..100).is_ok(), "they work, and then have nothing to do");
        for pid in &before {
            send(*pid, Signal::SIGKILL);
        }
        let results = pool.chunk_size(1).map(double, 0..1000);
        let all = results.is_ok_and(|it| it.into_iter().eq((0..1000).map(double)));
        check("nothing", all, "nothing is lost");
        let after = two(&pool);
        let new = before.iter().all(|pid| !after.contains(pid));
        check("replaced", new, "by workers that replaced both");
        pool.close().join();
    }
);

#[test]
fn an_idle_worker_killed_loses_nothing() {
    let checks = ["before", "nothing", "replaced"];
    Judge::scenario(&kills_an_idle_worker).declare(checks).run().assert_clean();
}

scenario!(
    fn retries() {
        let gate = Gate::new();
        let pool = Pool::builder().processes(1).retries(1).build().expect("a pool");
        let result = pool.apply_async(tell_and_pass, (5,));
        let first = pool.worker_pids()[0];
        while !is_waiting(first) {
            std::thread::yield_now();
        }
        send(first, Signal::SIGKILL);
        // Or it could take the byte with it.
        until_gone(first);
        gate.open(1);
        let again = result.get();
        check("again", matches!(again, Ok((5, pid)) if pid != first), "it is run again elsewhere");
        // But not for ever.
        check("twice", matches!(pool.apply(crash, ()), Err(Error::Killed { .. })), "once");
        let panics = pool.apply(panics, ());
        check("panic", matches!(panics, Err(Error::Panicked { .. })), "a panic is its own affair");
        pool.close().join();
    }
);

fn crash() {
    std::process::abort();
}

fn panics() {
    panic!("once");
}

fn leave(code: i32) {
    #[expect(clippy::disallowed_methods, reason = "it is what the test is about")]
    std::process::exit(code);
}

#[test]
fn a_task_whose_worker_dies_is_run_again_if_that_was_asked_for() {
    let checks = ["again", "twice", "panic"];
    Judge::scenario(&retries).declare(checks).run().assert_clean();
}

scenario!(
    fn tells_ends_apart() {
        let pool = Pool::new(1).expect("a pool");
        let exited = pool.apply(leave, (3,));
        check("exit", matches!(exited, Err(Error::Exited { code: 3, .. })), "an exit");
        let fine = pool.apply(leave, (0,));
        check("zero", matches!(fine, Err(Error::Exited { code: 0, .. })), "with 0, too");
        let crashed = pool.apply(crash, ());
        check("crash", matches!(crashed, Err(Error::Killed { signal: Some(6), .. })), "a crash");
        let panicked = pool.apply(panics, ());
        check("panic", matches!(panicked, Err(Error::Panicked { .. })), "a panic");
        check("usable", pool.apply(double, (4,)).is_ok_and(|it| it == 8), "the pool is usable");
        pool.close().join();
    }
);

#[test]
fn a_panic_an_exit_and_a_crash_are_told_apart() {
    let checks = ["exit", "zero", "crash", "panic", "usable"];
    Judge::scenario(&tells_ends_apart).declare(checks).run().assert_clean();
}

scenario!(
    fn stops_a_worker() {
        let pool = Pool::new(2).expect("a pool");
        let pids = pool.worker_pids();
        send(pids[0], Signal::SIGSTOP);
        // The other one does what was given to it, or would have been.
        let results = pool.chunk_size(1).map(double, 0..500);
        check("others", results.is_ok_and(|it| it.len() == 500), "the others do the work");
        send(pids[0], Signal::SIGCONT);
        check("same", pool.worker_pids() == pids, "it is there");
        let again = || pool.apply_async(who, ());
        let both = || [again(), again()].map(|result| result.get().expect("a pid"));
        // Nor is it in the way of a single one, whichever of the two is asked first.
        let mut took = Duration::ZERO;
        for _ in 0..20 {
            while !both().contains(&pids[0]) {}
            check("later", true, "it works again");
            send(pids[0], Signal::SIGSTOP);
            let start = Instant::now();
            check("alone", pool.apply(who, ()).is_ok_and(|it| it == pids[1]), "it did nothing");
            took += start.elapsed();
            send(pids[0], Signal::SIGCONT);
        }
        check("time", took < Duration::from_secs(1), &format!("20 took {took:?}"));
        pool.close().join();
    }
);

#[test]
fn a_stopped_worker_is_only_slow() {
    let checks = ["others", "alone", "time", "same", "later"];
    Judge::scenario(&stops_a_worker).declare(checks).run().assert_clean();
}

scenario!(
    fn times_out() {
        let timeout = Duration::from_millis(200);
        let pool = Pool::builder().processes(2).task_timeout(timeout).build().expect("a pool");
        let start = Instant::now();
        let endless = pool.apply_async(forever, (0,));
        let behind: Vec<_> = (0..100).map(|number| pool.apply_async(double, (number,))).collect();
        let told = match endless.get() {
            Err(Error::TimedOut { timeout: told, .. }) => told == timeout,
            _ => false,
        };
        let took = start.elapsed();
        check("told", told, "it is ended, and says why");
        check("time", (200..2000).contains(&took.as_millis()), &format!("after {took:?}"));
        let all = behind.iter().all(|result| result.get().is_ok());
        check("innocent", all, "no other task is");
        // One that stops its own worker.
        let stopped = pool.apply(stop_me, ());
        check("stopped", matches!(stopped, Err(Error::TimedOut { .. })), "a stopped one, too");
        // Nobody waits for this one.
        let (tell, told) = std::sync::mpsc::channel();
        pool.apply_async_with(forever, (0,), move |result| _ = tell.send(result));
        let told = told.recv_timeout(Duration::from_secs(10));
        check("alone", matches!(told, Ok(Err(Error::TimedOut { .. }))), "without a caller, too");
        pool.close().join();
    }
);

fn stop_me() {
    send(who(), Signal::SIGSTOP);
}

#[test]
fn a_task_that_takes_too_long_is_ended_and_no_other() {
    let checks = ["told", "time", "innocent", "stopped", "alone"];
    Judge::scenario(&times_out).declare(checks).run().assert_clean();
}

scenario!(
    fn runs_until_interrupted() {
        let pool = Pool::new(2).expect("a pool");
        let running: Vec<_> = (0..4).map(|number| pool.apply_async(forever, (number,))).collect();
        println!("ready");
        running[0].wait();
    }
);

#[test]
fn ctrl_c_ends_pool_and_workers_cleanly() {
    let mut running = Judge::scenario(&runs_until_interrupted).start();
    running.wait_for_line(|line| line == "ready");
    assert_eq!(running.tree().len(), 4, "owner, zygote, and two workers");
    running.signal_group(Signal::SIGINT as i32);
    let report = running.finish();
    assert_eq!(report.signal(), Some(Signal::SIGINT as i32), "{report}");
    assert_eq!(report.stderr(), "", "nobody has anything to say about it");
    report.assert_nothing_left();
}

#[test]
fn workers_never_outlive_a_killed_owner() {
    let mut running = Judge::scenario(&runs_until_interrupted).start();
    running.wait_for_line(|line| line == "ready");
    running.signal(Signal::SIGKILL as i32);
    let report = running.finish();
    assert_eq!(report.signal(), Some(Signal::SIGKILL as i32), "{report}");
    report.assert_nothing_left();
}

scenario!(
    fn keeps_workers_through_an_interrupt() {
        let pool = Pool::new(2).expect("a pool");
        let pids = pool.worker_pids();
        pids.iter().chain(pool.zygote_pid().iter()).for_each(|pid| send(*pid, Signal::SIGINT));
        check("works", pool.map(double, 0..100).is_ok(), "it goes on");
        check("same", pool.worker_pids() == pids, "with the same workers");
        pool.close().join();
    }
);

#[test]
fn workers_leave_an_interrupt_to_their_owner() {
    Judge::scenario(&keeps_workers_through_an_interrupt)
        .declare(["works", "same"])
        .run()
        .assert_clean();
}

scenario!(
    fn queues_behind_a_slow_one() {
        let gate = Gate::new();
        let pool = Pool::new(2).expect("a pool");
        // Many, so that each worker has tasks in advance; then one of them waits.
        let results: Vec<_> =
            (0..200).map(|number| pool.apply_async(first_waits, (number,))).collect();
        let others = results[1..].iter().map(|result| result.get().ok());
        check("others", others.eq((1..200).map(Some)), "what was behind it is done elsewhere");
        check("slow", !results[0].ready(), "and it is not done yet");
        gate.open(1);
        check("then", results[0].get().is_ok_and(|it| it == 0), "now it is");
        pool.close().join();
    }
);

fn first_waits(number: u64) -> u64 {
    if number == 0 { pass(number) } else { number }
}

#[test]
fn tasks_queued_behind_a_slow_one_go_to_a_worker_that_is_free() {
    let checks = ["others", "slow", "then"];
    Judge::scenario(&queues_behind_a_slow_one).declare(checks).run().assert_clean();
}
