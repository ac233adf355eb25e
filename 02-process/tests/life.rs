//! From the start to the end, and who is told of it.

mod common;

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use common::*;
use judge::{Judge, scenario};
use nix::poll::PollTimeout;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::unistd::Pid;
use process::{Error, ExitStatus, Process, Start, active_children, current_process};

fn who(number: u32, text: String) -> (String, i32, bool, u32, String) {
    let me = current_process();
    (me.name().to_owned(), me.pid(), me.daemon(), number, text)
}

scenario!(
    fn lives_once() {
        process::init();
        for method in METHODS {
            let arguments = (7, "seven".to_owned());
            let mut anna = Process::new(who, arguments).name("anna").method(method);
            let not_there = !anna.is_alive() && anna.pid().is_none() && anna.exitcode().is_none();
            let refused = [anna.kill().is_err(), anna.sentinel().is_err(), anna.join().is_err()];
            let unlisted = active_children().is_empty();
            check_for(method, "before", not_there && unlisted, "no process before the start");
            check_for(method, "refused", refused == [true; 3], "nor anything to be done to one");

            anna.start().expect("a process");
            let again = matches!(anna.start(), Err(Error::AlreadyStarted { .. }));
            let pid = anna.pid().expect("it was started");
            let seen = anna.join().expect("its result");
            let inside = ("anna".to_owned(), pid, false, 7, "seven".to_owned());
            check_for(method, "inside", seen == inside, "it sees what its parent has given it");
            let after = anna.exitcode() == Some(0) && !anna.is_alive() && state(pid).is_none();
            let gone = after && active_children().is_empty();
            check_for(method, "after", gone, "exit code 0, and no longer listed");
            let given = matches!(anna.join(), Err(Error::AlreadyJoined { .. }));
            check_for(method, "once", again && given, "it runs once, and its value is had once");
        }
        let number = |child: Process<()>| -> Option<u32> {
            child.get_name().strip_prefix("Process-")?.parse().ok()
        };
        let numbers = [(); 2].map(|()| number(Process::new(forever, ())));
        let in_order = matches!(numbers, [Some(first), Some(second)] if second == first + 1);
        judge::check("names", in_order, "one without a name is Process-N");
        judge::check("main", current_process().name() == "MainProcess", "and this is the first");
    }
);

#[test]
fn a_process_is_what_its_parent_says_and_is_listed_from_start_to_end() {
    let each = ["before", "refused", "inside", "after", "once"];
    Judge::scenario(&lives_once)
        .declare(both(&each))
        .declare(["names", "main"])
        .run()
        .assert_clean();
}

scenario!(
    fn lists_its_children() {
        process::init();
        let pids = || active_children().iter().map(|child| child.pid()).collect::<Vec<_>>();
        for method in METHODS {
            let mut all: Vec<_> = (0..3).map(|code| returns_when_told(method, code)).collect();
            let expected: Vec<i32> = all.iter().filter_map(|(child, _)| child.pid()).collect();
            check_for(method, "all", pids() == expected, "in the order of their start");

            let (mut second, tell) = all.remove(1);
            drop(tell);
            let joined = second.join().expect("its result") == 1;
            let two = [expected[0], expected[2]];
            check_for(method, "joined", joined && pids() == two, "without one that was joined");

            let listed = active_children();
            listed[0].terminate().expect("it is ours");
            while listed[0].is_alive().expect("it is ours") {
                is_readable(listed[0].sentinel().expect("it is ours"), PollTimeout::NONE);
            }
            let by = listed[0].status().expect("it is ours").and_then(ExitStatus::signal);
            let ended = by == Some(15) && pids() == [expected[2]];
            check_for(method, "ended", ended, "nor one that was ended, by way of the list");
            check_for(method, "looks", !listed[1].daemon(), "the list shows who it is");
        }
    }
);

#[test]
fn active_children_shows_starts_and_joins() {
    let report = Judge::scenario(&lists_its_children);
    report.declare(both(&["all", "joined", "ended", "looks"])).run().assert_clean();
}

type End = fn(&Process<()>) -> Result<(), Error>;
const ENDS: [(&str, End, i32); 2] =
    [("terminate", Process::terminate, 15), ("kill", Process::kill, 9)];

scenario!(
    fn is_ended() {
        process::init();
        for method in METHODS {
            for (name, end, signal) in ENDS {
                let mut child = started(Process::new(forever, ()).method(method));
                let start = Instant::now();
                let lives = matches!(child.join_timeout(Duration::ZERO), Ok(None));
                end(&child).expect("it is ours");
                let ended = match child.join() {
                    Err(Error::Ended { status, .. }) => status.signal() == Some(signal),
                    _ => false,
                };
                let quick = start.elapsed() < Duration::from_secs(10);
                let told = child.exitcode() == Some(-signal) && end(&child).is_ok();
                check_for(method, name, lives && ended && told && quick, "by its signal");
            }
        }
    }
);

#[test]
fn terminate_and_kill_end_it_with_minus_15_and_minus_9() {
    let report = Judge::scenario(&is_ended);
    report.declare(both(&["terminate", "kill"])).run().assert_clean();
}

scenario!(
    fn is_joined_for_a_while() {
        process::init();
        for method in METHODS {
            let (mut child, tell) = returns_when_told(method, 7);
            let start = Instant::now();
            let timeout = Duration::from_millis(50);
            let none = child.join_timeout(timeout).expect("no error").is_none();
            let on_time = (timeout..Duration::from_secs(10)).contains(&start.elapsed());
            check_for(method, "on time", none && on_time, "it returns when the time is over");
            drop(tell);
            let value = child.join_timeout(Duration::MAX).expect("its result");
            check_for(method, "later", value == Some(7), "and a later join gets the value");
        }
    }
);

#[test]
fn join_with_a_timeout_returns_on_time_and_loses_nothing() {
    let report = Judge::scenario(&is_joined_for_a_while);
    report.declare(both(&["on time", "later"])).run().assert_clean();
}

scenario!(
    fn starts_a_hundred() {
        process::init();
        for method in METHODS {
            let start = |_| started(Process::new(forever, ()).method(method));
            let mut all: Vec<Process<()>> = (0..100).map(start).collect();
            // A millisecond, in which some are at this point of their start and some at that.
            let _ = nix::poll::poll(&mut [], 1u8);
            all.iter().for_each(|child| child.terminate().expect("it is ours"));
            let right = all.iter_mut().all(|child| match child.join() {
                Err(Error::Ended { status, .. }) => status.signal() == Some(15),
                _ => false,
            });
            check_for(method, "all", right, "each of them by the signal");
            check_for(method, "none", active_children().is_empty(), "nobody is left");
        }
    }
);

#[test]
fn a_hundred_processes_started_and_terminated_a_millisecond_later_all_end_by_the_signal() {
    let report = Judge::scenario(&starts_a_hundred);
    report.declare(both(&["all", "none"])).run().assert_clean();
}

scenario!(
    fn has_a_sentinel() {
        process::init();
        for method in METHODS {
            let (mut child, tell) = returns_when_told(method, 7);
            let sentinel = child.sentinel().expect("it was started");
            check_for(method, "lives", !is_readable(sentinel, PollTimeout::ZERO), "not ready");
            drop(tell);
            check_for(method, "ended", is_readable(sentinel, PollTimeout::NONE), "ready");
            check_for(method, "join", child.join().is_ok_and(|value| value == 7), "still joined");
            let sentinel = child.sentinel().expect("it was started");
            check_for(method, "after", is_readable(sentinel, PollTimeout::ZERO), "for ever");
        }
    }
);

#[test]
fn the_sentinel_is_unready_while_it_lives_and_ready_afterwards() {
    let report = Judge::scenario(&has_a_sentinel);
    report.declare(both(&["lives", "ended", "join", "after"])).run().assert_clean();
}

static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_signal: i32) {
    HANDLED.fetch_add(1, Relaxed);
}

/// Sends so many signals to a process, each when it sleeps and has handled the one before.
fn pester(pid: i32, times: u32) {
    let pending = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let zero = |line: &str| line.ends_with("\t0000000000000000");
        !status.lines().filter(|line| line.starts_with("S") && line.contains("Pnd:")).all(zero)
    };
    for _ in 0..times {
        while state(pid) != Some('S') || pending() {
            std::thread::yield_now();
        }
        kill(Pid::from_raw(pid), Signal::SIGUSR1).expect("our parent");
    }
    while pending() {
        std::thread::yield_now();
    }
}

scenario!(
    fn is_pestered() {
        process::init();
        // Without SA_RESTART: the system calls do return EINTR.
        let action = SigAction::new(SigHandler::Handler(count), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler does nothing but count.
        unsafe { sigaction(Signal::SIGUSR1, &action) }.expect("a signal that can be handled");
        for method in METHODS {
            for (name, timeout) in [("join", None), ("timeout", Some(Duration::from_secs(60)))] {
                // Ends when the one that pesters us has ended.
                let (mut child, tell) = returns_when_told(method, 7);
                HANDLED.store(0, Relaxed);
                let me = std::process::id().cast_signed();
                let pest = Process::new(pester, (me, 20)).hand_over(vec![tell]);
                let mut pest = started(pest);
                let value = match timeout {
                    None => child.join().ok(),
                    Some(timeout) => child.join_timeout(timeout).ok().flatten(),
                };
                let handled = HANDLED.load(Relaxed);
                let right = value == Some(7) && handled == 20;
                check_for(method, name, right, &format!("{value:?} after {handled} signals"));
                pest.join().expect("its end");
            }
        }
    }
);

#[test]
fn a_signal_during_join_changes_nothing() {
    Judge::scenario(&is_pestered).declare(both(&["join", "timeout"])).run().assert_clean();
}

scenario!(
    fn drops_handles() {
        process::init();
        let before = open_descriptors();
        for method in METHODS {
            let ended = started(Process::new(|| (), ()).method(method));
            is_readable(ended.sentinel().expect("it was started"), PollTimeout::NONE);
            let pid = ended.pid().expect("it was started");
            let zombie = state(pid) == Some('Z');
            drop(ended);
            check_for(method, "at once", zombie && state(pid).is_none(), "reaped by the drop");

            let [first, second] = [1, 2].map(|code| returns_when_told(method, code));
            let [(first, end_first), (second, end_second)] = [first, second];
            let pids = [first.pid().expect("started"), second.pid().expect("started")];
            drop((first, second));
            let listed: Vec<i32> = active_children().iter().map(|child| child.pid()).collect();
            check_for(method, "lives", listed == pids, "ones that run do, and are listed");

            drop(end_first);
            while state(pids[0]) != Some('Z') {
                std::thread::yield_now();
            }
            let one_left = active_children().len() == 1 && state(pids[0]).is_none();
            check_for(method, "looked", one_left, "reaped by the next look at the list");

            drop(end_second);
            while state(pids[1]) != Some('Z') {
                std::thread::yield_now();
            }
            started(Process::new(|| (), ()).method(Start::Fork)).join().expect("its result");
            check_for(method, "started", state(pids[1]).is_none(), "or by the next start");
        }
        judge::check("descriptors", open_descriptors() == before, "nothing is left open");
    }
);

#[test]
fn a_dropped_handle_leaves_no_zombie_beyond_the_next_start() {
    let report = Judge::scenario(&drops_handles).declare(["descriptors"]);
    report.declare(both(&["at once", "lives", "looked", "started"])).run().assert_clean();
}
