//! Waiting for children, stopped and running processes, signals, time.

#![allow(clippy::infinite_loop, reason = "programs that never end are the subject")]

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use judge::{Judge, scenario};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use crate::{comes_before, pid, program_says, ready, says};

fn sleeper() -> Child {
    Command::new("/bin/sleep").arg("600").spawn().expect("a child")
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().cast_signed()), signal).expect("it is there");
}

scenario!(
    fn waits_for_a_stopped_child() {
        let mut child = sleeper();
        signal(&child, Signal::SIGSTOP);
        ready(&[("child", child.id().into())]);
        let _ = child.wait();
    }
);

#[test]
fn a_parent_waits_for_a_stopped_child() {
    let said = says(
        &waits_for_a_stopped_child,
        &[
            "waits in waitpid for its child {child} (sleep), which is stopped",
            "process {child} (sleep) is stopped by a signal; SIGCONT would let it go on",
        ],
    );
    comes_before(&said, "is stopped by a signal", "waits in waitpid");
}

scenario!(
    fn waits_for_any_child() {
        let (one, other) = (sleeper(), sleeper());
        ready(&[("one", one.id().into()), ("other", other.id().into())]);
        let _ = nix::sys::wait::wait();
    }
);

#[test]
fn a_parent_waits_for_any_of_its_children() {
    says(
        &waits_for_any_child,
        &["waits in waitpid for any of its children {one} (sleep), which waits itself and \
             {other} (sleep), which waits itself"],
    );
}

#[test]
fn in_a_namespace_the_child_is_found_by_the_number_it_has_there() {
    if !namespaces() {
        return;
    }
    program_says(
        Judge::scenario(&waits_for_a_stopped_child).isolate(),
        &[
            "waits in waitpid for its child ",
            " (sleep, {child} in its namespace), which is stopped",
        ],
    );
}

/// Whether this machine allows pid namespaces; says so if it does not.
fn namespaces() -> bool {
    let report = Judge::program("/bin/true").isolate().run();
    let allowed = report.means().iter().any(|it| it.starts_with("pid namespace"));
    if !allowed {
        eprintln!("NOT TESTED: {}", report.means().join("; "));
    }
    allowed
}

#[test]
fn a_poll_of_a_pidfd_waits_for_a_process_to_end() {
    let Some(python) = crate::python() else { return };
    let program = "import os, select, subprocess\n\
        child = subprocess.Popen(['sleep', '600'])\n\
        fd = os.pidfd_open(child.pid)\n\
        poll = select.poll()\n\
        poll.register(fd, select.POLLIN)\n\
        print(f'ready child={child.pid} fd={fd}', flush=True)\n\
        poll.poll()\n";
    program_says(
        Judge::program(python).args(["-c", program]),
        &["waits in poll for fd {fd}, the end of process {child} (sleep), which waits itself"],
    );
}

scenario!(
    fn waits_for_a_child_that_waits_for_it() {
        let mut child = Command::new("/bin/cat").stdin(Stdio::piped()).spawn().expect("a child");
        // Without this, the wait would close it.
        let stdin = child.stdin.take();
        ready(&[("child", child.id().into())]);
        let _ = child.wait();
        drop(stdin);
    }
);

#[test]
fn a_parent_and_its_child_that_wait_for_each_other_are_named() {
    let said = says(
        &waits_for_a_child_that_waits_for_it,
        &[
            "waits in waitpid for its child {child} (cat), which waits itself",
            "process {child} (cat) waits in read(0) on a pipe whose write end is still open in process {main}",
            " waits for process {child} (cat) and {child} for {main}: neither can go on",
        ],
    );
    assert!(said[0].contains("neither can go on"), "{said:?}");
}

scenario!(
    fn stops_itself() {
        ready(&[]);
        let _ = kill(Pid::this(), Signal::SIGSTOP);
    }
);

#[test]
fn a_process_that_stopped_itself_is_stopped() {
    says(&stops_itself, &["process {main} (", " is stopped by a signal"]);
}

scenario!(
    fn runs_for_ever() {
        ready(&[]);
        loop {
            std::hint::spin_loop();
        }
    }
);

#[test]
fn a_process_that_runs_in_circles_runs() {
    says(&runs_for_ever, &["process {main} (", " runs: 0.", " s of processor time in 0."]);
}

scenario!(
    fn sleeps_long() {
        ready(&[]);
        #[expect(clippy::disallowed_methods, reason = "the sleep is the hang")]
        std::thread::sleep(Duration::from_secs(3600));
    }
);

#[test]
fn a_sleeper_says_how_long() {
    says(&sleeps_long, &[" sleeps for 3600 s"]);
}

scenario!(
    fn looks_again_and_again() {
        ready(&[]);
        loop {
            #[expect(clippy::disallowed_methods, reason = "the bad habit that is to be named")]
            std::thread::sleep(Duration::from_millis(5));
        }
    }
);

#[test]
fn a_poller_is_told_from_a_sleeper() {
    says(&looks_again_and_again, &[" sleeps for 0.005 s; it woke ", " times in 0."]);
}

scenario!(
    fn waits_for_any_signal() {
        ready(&[]);
        let _ = SigSet::empty().suspend();
    }
);

#[test]
fn sigsuspend_waits_for_a_signal() {
    says(&waits_for_any_signal, &["waits in sigsuspend for a signal: none comes"]);
}

scenario!(
    fn waits_for_two_signals() {
        let mut set = SigSet::empty();
        set.add(Signal::SIGUSR1);
        set.add(Signal::SIGTERM);
        set.thread_block().expect("a mask");
        ready(&[]);
        let _ = set.wait();
    }
);

#[test]
fn sigwait_names_its_signals() {
    says(&waits_for_two_signals, &["waits in sigwait for one of SIGUSR1 and SIGTERM: none comes"]);
}

scenario!(
    fn pauses() {
        ready(&[]);
        nix::unistd::pause();
    }
);

#[test]
fn pause_waits_for_a_signal() {
    says(&pauses, &[" for a signal: none comes"]);
}

scenario!(
    fn tells_its_own_number() {
        ready(&[("own", pid())]);
        nix::unistd::pause();
    }
);

#[test]
fn an_isolated_process_is_named_by_both_its_numbers() {
    if !namespaces() {
        return;
    }
    let judge = Judge::scenario(&tells_its_own_number).isolate();
    program_says(judge, &["process {main} (", ", {own} in its namespace)"]);
}

#[test]
fn a_sleeper_until_a_certain_time_says_how_long_that_is() {
    let Some(python) = crate::python() else { return };
    let program = "import time; print('ready', flush=True); time.sleep(3600)";
    program_says(Judge::program(python).args(["-c", program]), &[" sleeps for another 3"]);
}

#[test]
fn at_a_deadline_the_report_says_it() {
    let cat = Judge::program("/bin/sleep").arg("600").deadline(Duration::from_millis(500));
    let report = cat.run();
    let verdict = report.verdict().expect_err("it is stuck");
    assert!(verdict.starts_with("it did not end before the deadline:\nprocess "), "{verdict}");
    assert!(verdict.contains("(sleep) sleeps for "), "{verdict}");
}
