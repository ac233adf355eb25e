// What `notify_from_child` must do in a program with threads. Who holds which lock at the fork is not left to
// chance: pthread_atfork's handler, which runs in the middle of fork itself, has a thread take it just then.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::SeqCst};
use std::thread;

use judge::Report;
use judge::exercise::{Case, require};
use nix::unistd::pipe;

use super::answer::{LOG, log, notify_from_child};

pub(crate) const CASES: &[Case] = &[
    Case::of(&without_threads_message_and_code_arrive).comes_back(BACK),
    Case::of(&a_lock_held_at_the_fork_does_not_stop_the_child).comes_back(BACK).hang(
        "hang: the child waits for LOG, which another thread held at the fork and nobody can ever \
         unlock in the child; log before the fork",
    ),
    Case::of(&stdout_locked_at_the_fork_does_not_stop_the_child).comes_back(BACK).hang(
        "hang: println! in the child waits for the stdout lock that another thread held at the \
         fork; use write(2)",
    ),
    Case::of(&no_exit_handler_runs_in_the_child)
        .comes_back(BACK)
        .hang("hang: the child waits in an exit handler of the program: end it with libc::_exit")
        .look(handler_once)
        .zombie("the child is left as a zombie: wait for it"),
];

const BACK: &str = "the child came back out of notify_from_child: end it with libc::_exit, or \
                    everything after the call runs twice";

/// Calls it with a pipe, and gives what came.
fn notify() -> (nix::Result<i32>, String) {
    let (rd, wr) = pipe().expect("a pipe");
    let code = notify_from_child("worker", wr.as_fd(), b"hello");
    drop(wr);
    let mut message = String::new();
    let _ = File::from(rd).read_to_string(&mut message);
    (code, message)
}

fn expect_hello() {
    let (code, message) = notify();
    require(message == "hello", &format!("of the message \"hello\" there came {message:?}"));
    require(code == Ok(0), &format!("the child ended with 0, and you returned {code:?}"));
}

judge::case!(
    fn without_threads_message_and_code_arrive() {
        expect_hello();
        let lines = LOG.lock().expect("nobody panicked").clone();
        require(
            lines == ["starting worker"],
            &format!("the parent's log has {lines:?}: one line, \"starting worker\", is asked for"),
        );
        let (_rd, full) = pipe().expect("a pipe");
        drop(_rd);
        // SAFETY: "ignore" runs no code.
        let _ = unsafe {
            nix::sys::signal::signal(
                nix::sys::signal::Signal::SIGPIPE,
                nix::sys::signal::SigHandler::SigIgn,
            )
        };
        let code = notify_from_child("worker", full.as_fd(), b"hello");
        require(
            code == Ok(1),
            &format!("the write failed, as nobody reads: the code is 1, and not {code:?}"),
        );
    }
);

/// 0: no lock is wanted; 1: take it; 2: it is held; 3: let go.
static STEP: AtomicU8 = AtomicU8::new(0);

fn wait_for(step: u8) {
    while STEP.load(SeqCst) != step {
        thread::yield_now();
    }
}

extern "C" fn just_before_the_fork() {
    if STEP.compare_exchange(0, 1, SeqCst, SeqCst).is_ok() {
        wait_for(2);
    }
}

extern "C" fn just_after_the_fork() {
    STEP.store(3, SeqCst);
}

/// Has a thread hold what `hold` returns, from the middle of the next fork on, until it is over in the parent.
fn held_at_the_fork<G>(hold: impl FnOnce() -> G + Send + 'static) {
    // SAFETY: the handlers touch an atomic and nothing else.
    unsafe {
        libc::pthread_atfork(Some(just_before_the_fork), Some(just_after_the_fork), None);
    }
    thread::spawn(|| {
        wait_for(1);
        let guard = hold();
        STEP.store(2, SeqCst);
        wait_for(3);
        drop(guard);
    });
}

judge::case!(
    fn a_lock_held_at_the_fork_does_not_stop_the_child() {
        log("before");
        held_at_the_fork(|| LOG.lock());
        expect_hello();
    }
);

judge::case!(
    fn stdout_locked_at_the_fork_does_not_stop_the_child() {
        held_at_the_fork(|| std::io::stdout().lock());
        expect_hello();
    }
);

static MAIN: AtomicU32 = AtomicU32::new(0);

extern "C" fn at_exit() {
    let who = if std::process::id() == MAIN.load(SeqCst) { "parent" } else { "child" };
    let _ = std::io::stderr().write_all(format!("handler in the {who}\n").as_bytes());
}

judge::case!(
    fn no_exit_handler_runs_in_the_child() {
        MAIN.store(std::process::id(), SeqCst);
        // SAFETY: the function lives as long as the program, and unwinds nowhere.
        unsafe { libc::atexit(at_exit) };
        expect_hello();
    }
);

fn handler_once(report: &Report) -> Result<(), String> {
    match report.stderr().contains("handler in the child") {
        false => Ok(()),
        true => {
            Err("the child ran the program's exit handlers: end it with libc::_exit, not with \
                     exit"
                .to_owned())
        }
    }
}
