//! Promises of `Child`: waiting, reaping, signalling.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use fork::{Child, ExitStatus, PrivateFd, Signal, WaitError, fork, fork_handing};
use judge::{Judge, check, scenario};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, sigaction};

/// A child that ends with `code` when the second value is dropped.
fn ends_when_told(code: i32) -> (Child, PrivateFd) {
    let [told, tell] = PrivateFd::pipe().expect("two descriptors");
    let child = fork_handing(vec![told], |fds| {
        fds.into_iter().for_each(read_to_end);
        code
    });
    (child.expect("a child"), tell)
}

fn read_to_end(pipe: OwnedFd) {
    File::from(pipe).read_to_end(&mut Vec::new()).expect("a pipe can be read");
}

/// Blocks until the child has ended, and leaves it a zombie.
fn until_ended(child: &Child) {
    let mut end = [PollFd::new(child.sentinel().expect("a sentinel"), PollFlags::POLLIN)];
    while poll(&mut end, PollTimeout::NONE) == Err(nix::Error::EINTR) {}
}

/// The letter in /proc/PID/stat, if there is such a process.
fn state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

scenario!(
    fn looks_before_it_waits() {
        let child = fork(|| 7).expect("a child");
        until_ended(&child);
        check("zombie", state(child.pid()) == Some('Z'), "it has ended and is still listed");
        check("status", child.wait().expect("its status").code() == Some(7), "its code was kept");
        check("gone", state(child.pid()).is_none(), "after the wait it is not listed");
        let again = [child.wait().ok(), child.try_wait().ok().flatten()];
        check("again", again == [Some(ExitStatus::Exited(7)); 2], "asked again, it says the same");
        until_ended(&child);
        check(
            "signal",
            child.signal(Signal::SIGKILL).is_ok(),
            "a signal to one that has ended is none",
        );
    }
);

#[test]
fn a_child_is_a_zombie_until_it_is_waited_for() {
    let checks = ["zombie", "status", "gone", "again", "signal"];
    Judge::scenario(&looks_before_it_waits).declare(checks).run().assert_clean();
}

scenario!(
    fn waits_for_a_while() {
        let (child, end) = ends_when_told(7);
        let start = Instant::now();
        let timeout = Duration::from_millis(50);
        check("none", child.wait_timeout(timeout).expect("no error").is_none(), "it has not ended");
        check("not early", start.elapsed() >= timeout, "the wait is as long as asked");
        check("not late", start.elapsed() < Duration::from_secs(10), "and no longer");
        let at_once = child.wait_timeout(Duration::ZERO).expect("no error");
        check(
            "zero",
            at_once.is_none() && child.try_wait().expect("no error").is_none(),
            "nor now",
        );
        drop(end);
        let status = child.wait_timeout(Duration::MAX).expect("no error");
        check("status", status == Some(ExitStatus::Exited(7)), "a later wait gets the status");
    }
);

#[test]
fn wait_timeout_returns_on_time_and_a_later_wait_still_gets_the_status() {
    let checks = ["none", "not early", "not late", "zero", "status"];
    Judge::scenario(&waits_for_a_while).declare(checks).run().assert_clean();
}

static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn handle(_signal: i32) {
    HANDLED.fetch_add(1, Relaxed);
}

/// Sends signals to the thread while it waits, then ends the child, and gives the thread's result.
fn interrupt<T: Send>(wait: impl FnOnce(&Child) -> T + Send) -> T {
    let (child, end) = ends_when_told(7);
    let tid = AtomicU32::new(0);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            tid.store(nix::unistd::gettid().as_raw().cast_unsigned(), Relaxed);
            wait(&child)
        });
        let tid = loop {
            match tid.load(Relaxed) {
                0 => thread::yield_now(),
                tid => break tid,
            }
        };
        for _ in 0..20 {
            // Asleep, it is in its wait: only then is a signal an interruption.
            while state(tid.cast_signed()) != Some('S') {
                thread::yield_now();
            }
            let handled = HANDLED.load(Relaxed);
            let pid = std::process::id();
            // SAFETY: the call takes numbers only, and the thread lives until it is joined.
            unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, libc::SIGUSR1) };
            while HANDLED.load(Relaxed) == handled {
                thread::yield_now();
            }
        }
        drop(end);
        waiting.join().expect("it does not panic")
    })
}

/// As [`interrupt`], in a process of one thread, which waits in another way: a second child sends.
fn interrupt_the_only_thread() -> Option<ExitStatus> {
    let (child, end) = ends_when_told(7);
    let waiting = std::process::id().cast_signed();
    let sender = fork_handing(vec![end], move |_end| {
        for _ in 0..20 {
            while state(waiting) != Some('S') {
                thread::yield_now();
            }
            // SAFETY: the call takes numbers only.
            unsafe { libc::kill(waiting, libc::SIGUSR1) };
        }
        0
    });
    let status = child.wait().ok();
    sender.expect("a second child").wait().expect("its status");
    status
}

scenario!(
    fn is_interrupted() {
        // Without SA_RESTART: the system calls do return EINTR.
        let action = SigAction::new(SigHandler::Handler(handle), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler does nothing but count.
        unsafe { sigaction(Signal::SIGUSR1, &action) }.expect("a signal that can be handled");
        let status = interrupt_the_only_thread();
        let handled = HANDLED.load(Relaxed) > 0;
        check("alone", handled && status == Some(ExitStatus::Exited(7)), "one thread waits on");
        let status = interrupt(|child| child.wait().ok());
        check("wait", status == Some(ExitStatus::Exited(7)), "wait goes on waiting");
        let status = interrupt(|child| child.wait_timeout(Duration::from_secs(60)).ok().flatten());
        check("timeout", status == Some(ExitStatus::Exited(7)), "so does wait_timeout");
    }
);

#[test]
fn a_signal_that_arrives_during_a_wait_changes_nothing() {
    Judge::scenario(&is_interrupted).declare(["alone", "wait", "timeout"]).run().assert_clean();
}

const WAITS: [fn(&Child) -> Option<ExitStatus>; 3] = [
    |child| child.wait().ok(),
    |child| child.wait_timeout(Duration::from_secs(60)).ok().flatten(),
    |child| {
        loop {
            match child.try_wait() {
                Ok(None) => thread::yield_now(),
                ended => break ended.ok().flatten(),
            }
        }
    },
];

scenario!(
    fn many_wait_for_one() {
        let right = (0..100).all(|round| {
            let (child, end) = ends_when_told(round);
            thread::scope(|scope| {
                let child = &child;
                let threads: Vec<_> =
                    WAITS.iter().cycle().take(6).map(|wait| scope.spawn(|| wait(child))).collect();
                drop(end);
                let mut statuses =
                    threads.into_iter().map(|thread| thread.join().expect("no panic"));
                statuses.all(|status| status == Some(ExitStatus::Exited(round)))
            })
        });
        check("same", right, "in each of 100 rounds all of them got the status");
    }
);

#[test]
fn several_threads_wait_for_one_child_and_all_get_its_status() {
    Judge::scenario(&many_wait_for_one).declare(["same"]).run().assert_clean();
}

scenario!(
    fn drops_children() {
        let ended = fork(|| 0).expect("a child");
        until_ended(&ended);
        let pid = ended.pid();
        drop(ended);
        check("at once", state(pid).is_none(), "one that has ended is reaped when it is dropped");

        let (running, end) = ends_when_told(0);
        let pid = running.pid();
        drop(running);
        check("lives", state(pid).is_some(), "one that runs is neither ended nor waited for");
        drop(end);
        while state(pid) != Some('Z') {
            thread::yield_now();
        }
        let next = fork(|| 0).expect("a child");
        check("later", state(pid).is_none(), "it is reaped by the next fork after its end");
        next.wait().expect("its status");
    }
);

#[test]
fn a_dropped_child_leaves_no_zombie_beyond_the_next_fork() {
    let checks = ["at once", "lives", "later"];
    Judge::scenario(&drops_children).declare(checks).run().assert_clean();
}

scenario!(
    fn asks_for_a_stranger() {
        let (brother, end) = ends_when_told(0);
        let child = fork(|| {
            let not_ours = |error: &WaitError| matches!(error, WaitError::NotOurs { .. });
            let refused = brother.wait().is_err_and(|error| not_ours(&error))
                && brother.try_wait().is_err_and(|error| not_ours(&error))
                && brother.wait_timeout(Duration::MAX).is_err_and(|error| not_ours(&error))
                && brother.sentinel().is_err_and(|error| not_ours(&error))
                && brother.signal(Signal::SIGKILL).is_err_and(|error| not_ours(&error));
            i32::from(!refused)
        });
        let refused = child.expect("a child").wait().expect("its status").success();
        check("refused", refused, "a child neither waits for its brother nor signals it");
        drop(end);
        check("unharmed", brother.wait().expect("its status").success(), "whom that did not harm");
    }
);

#[test]
fn only_the_process_that_forked_a_child_waits_for_it_or_signals_it() {
    Judge::scenario(&asks_for_a_stranger).declare(["refused", "unharmed"]).run().assert_clean();
}

scenario!(
    fn somebody_else_reaps() {
        let elsewhere = |error: &WaitError| matches!(error, WaitError::ReapedElsewhere { .. });
        let child = fork(|| 0).expect("a child");
        nix::sys::wait::waitpid(None, None).expect("a child");
        let told = child.try_wait().is_err_and(|error| elsewhere(&error))
            && child.wait().is_err_and(|error| elsewhere(&error))
            && child.wait_timeout(Duration::MAX).is_err_and(|error| elsewhere(&error))
            && child.sentinel().is_err_and(|error| elsewhere(&error));
        check("waitpid", told, "taken by a waitpid(-1)");

        // SAFETY: ignoring a signal runs no code of ours.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        let child = fork(|| 0).expect("a child");
        let told = child.wait().is_err_and(|error| elsewhere(&error));
        check("ignored", told, "thrown away, because SIGCHLD is ignored");
    }
);

#[test]
fn a_status_that_somebody_else_took_is_an_error_and_no_hang() {
    Judge::scenario(&somebody_else_reaps).declare(["waitpid", "ignored"]).run().assert_clean();
}

scenario!(
    fn a_number_is_used_again() {
        // In a namespace of their own: set back for all, the numbers would confuse everybody.
        // SAFETY: the call takes a number only.
        if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
            println!("skipped: no process namespace for this user");
            return;
        }
        let first = fork(|| {
            let child = fork(|| 0).expect("a child");
            child.wait().expect("its status");
            // The kernel looks for the next free number from here on; root may say from where.
            let last = (child.pid() - 1).to_string();
            if fs::write("/proc/sys/kernel/ns_last_pid", last).is_err() {
                return 2;
            }
            let (stranger, _end) = ends_when_told(0);
            assert_eq!(stranger.pid(), child.pid(), "the number is used again");

            child.signal(Signal::SIGKILL).expect("no error");
            until_ended(&child);
            child.wait().expect("no error");
            assert_eq!(stranger.try_wait().expect("no error"), None, "the stranger was not hit");
            stranger.signal(Signal::SIGTERM).expect("it is ours");
            let status = stranger.wait().expect("its status was not taken");
            i32::from(status.signal() != Some(libc::SIGTERM))
        });
        let code = first.expect("a child").wait().expect("its status").code();
        if code == Some(2) {
            println!("skipped: the next process's number can't be chosen here");
            return;
        }
        check("stranger", code == Some(0), "neither signalled nor waited for");
    }
);

#[test]
fn a_process_that_has_the_number_by_now_is_neither_signalled_nor_waited_for() {
    let report = Judge::scenario(&a_number_is_used_again).declare(["stranger"]).run();
    if report.stdout().starts_with("skipped") {
        eprintln!("NOT TESTED, {}", report.stdout());
        return;
    }
    report.assert_clean();
}

scenario!(
    fn waits_in_one_thread_and_signals_in_another() {
        static WAITING: AtomicBool = AtomicBool::new(false);
        let (child, _end) = ends_when_told(0);
        let status = thread::scope(|scope| {
            let waits = scope.spawn(|| {
                WAITING.store(true, Relaxed);
                child.wait()
            });
            while !WAITING.load(Relaxed) {
                thread::yield_now();
            }
            child.signal(Signal::SIGTERM).expect("a signal that may be sent");
            waits.join().expect("it does not panic").expect("its status")
        });
        check("status", status.signal() == Some(libc::SIGTERM), "the wait ended with the signal");
    }
);

#[test]
fn a_child_is_signalled_while_another_thread_waits_for_it() {
    let judge = Judge::scenario(&waits_in_one_thread_and_signals_in_another);
    judge.declare(["status"]).run().assert_clean();
}
