// What `map_with_crashes` must do: the simplest crash first, and each kind of end by itself.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::OnceLock;
use std::time::Duration;

use judge::exercise::{Case, require};
use nix::errno::Errno;
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::pipe;

use super::answer::{Crash, map_with_crashes};

pub(crate) const CASES: &[Case] = &[
    Case::of(&without_a_crash_squares_come_in_order).comes_back(BACK).within(SHORT).hang(
        "hang, and nobody died: you wait for the end of a pipe whose write end you hold; close it \
         in the parent",
    ),
    Case::of(&all_workers_run_at_the_same_time)
        .comes_back(BACK)
        .within(SHORT)
        .hang("the workers ran one after the other: start them all first, then collect"),
    Case::of(&a_killed_worker_is_an_error_for_its_input).comes_back(BACK).within(SHORT).hang(HANG),
    Case::of(&a_worker_that_exits_is_an_error_for_its_input)
        .comes_back(BACK)
        .within(SHORT)
        .hang(HANG),
    Case::of(&nothing_is_left)
        .comes_back(BACK)
        .hang(HANG)
        .zombie(ZOMBIE)
        .descriptor("a descriptor stays open at each call: close both ends of every pipe"),
];

const SHORT: Duration = Duration::from_millis(700);
const BACK: &str = "a worker came back out of map_with_crashes: end it with libc::_exit, or \
                    everything after the call runs twice";
const HANG: &str = "hang: a worker died and you still wait for its result, because the parent (or \
                    a later worker) holds the write end of its pipe; close it";
const ZOMBIE: &str = "a worker was not waited for: the dead ones need a waitpid, too, and the \
                      others after a dead one";

judge::case!(
    fn without_a_crash_squares_come_in_order() {
        let got = map_with_crashes(&[3, 0, 5, 4], |x| x * x);
        require(
            got == Ok(vec![Ok(9), Ok(0), Ok(25), Ok(16)]),
            &format!("the squares of 3, 0, 5 and 4 came as {got:?}"),
        );
    }
);

/// Two pipes that the workers inherit: to say "here", and to be let go.
static PIPES: OnceLock<[(File, File); 2]> = OnceLock::new();

fn pipes() -> &'static [(File, File); 2] {
    let both = || pipe().map(|(rd, wr)| (File::from(rd), File::from(wr))).expect("a pipe");
    PIPES.get_or_init(|| [both(), both()])
}

/// The last of three lets all go when all are there.
fn meets_the_others(x: u64) -> u64 {
    let [here, go] = pipes();
    let _ = (&here.1).write_all(&[0]);
    if x == 2 {
        let _ = (&here.0).read_exact(&mut [0; 3]);
        let _ = (&go.1).write_all(&[0; 3]);
    }
    let _ = (&go.0).read_exact(&mut [0]);
    x
}

judge::case!(
    fn all_workers_run_at_the_same_time() {
        pipes();
        let got = map_with_crashes(&[0, 1, 2], meets_the_others);
        require(
            got == Ok(vec![Ok(0), Ok(1), Ok(2)]),
            &format!("three workers that waited for each other gave {got:?}"),
        );
    }
);

/// The results, one of which belongs to a worker that died.
fn map_all(inputs: &[u64], f: fn(u64) -> u64) -> Vec<Result<u64, Crash>> {
    let got = map_with_crashes(inputs, f);
    require(
        got.is_ok(),
        &format!("one worker died, and the whole map gave {got:?}: the error is its input's only"),
    );
    let got = got.unwrap_or_default();
    require(
        got.len() == inputs.len(),
        &format!(
            "{} inputs, one worker died, and there are {} results: each input has one",
            inputs.len(),
            got.len()
        ),
    );
    got
}

fn delivered(x: u64, got: Result<u64, Crash>) {
    require(
        got == Ok(x + 1),
        &format!("a worker that did not die gave {got:?} beside one that did: keep the others'"),
    );
}

judge::case!(
    fn a_killed_worker_is_an_error_for_its_input() {
        let got = map_all(&[0, 1, 2], |x| {
            if x == 1 {
                let _ = raise(Signal::SIGKILL);
            }
            x + 1
        });
        require(
            got[1].is_err(),
            &format!(
                "a dead worker gave the result {}: the buffer was never filled, check the read and \
                 the wait status",
                got[1].unwrap_or_default()
            ),
        );
        require(
            got[1] == Err(Crash::Signal(9)),
            &format!(
                "a worker was killed by signal 9, and you say {:?}: whoever was killed has no exit \
                 code, say Crash::Signal(9)",
                got[1]
            ),
        );
        delivered(0, got[0]);
        delivered(2, got[2]);
    }
);

judge::case!(
    fn a_worker_that_exits_is_an_error_for_its_input() {
        for code in [3, 0] {
            let f = if code == 3 { exits_with_3 } else { exits_with_0 };
            let got = map_all(&[0, 1, 2], f);
            require(
                got[0].is_err(),
                &format!(
                    "a worker called exit({code}) in its task, and its result is {}: exit code 0 \
                     does not mean that it delivered, did all 8 bytes come?",
                    got[0].unwrap_or_default()
                ),
            );
            require(
                got[0] == Err(Crash::Exit(code)),
                &format!("a worker ended with code {code} without delivering: {:?}", got[0]),
            );
            delivered(1, got[1]);
            delivered(2, got[2]);
        }
    }
);

fn exits_with_3(x: u64) -> u64 {
    if x == 0 { exit(3) } else { x + 1 }
}

fn exits_with_0(x: u64) -> u64 {
    if x == 0 { exit(0) } else { x + 1 }
}

fn exit(code: i32) -> ! {
    // SAFETY: it ends the process, and nothing else.
    unsafe { libc::_exit(code) }
}

judge::case!(
    fn nothing_is_left() {
        for _ in 0..10 {
            let got = map_with_crashes(&[0, 1, 2], exits_with_3);
            require(got.is_ok(), "after some crashes it fails: does each leave something behind?");
            // Whether it has ended by now or not: a child that is still there was not waited for.
            let any = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
            require(waitid(Id::All, any) == Err(Errno::ECHILD), ZOMBIE);
        }
    }
);
