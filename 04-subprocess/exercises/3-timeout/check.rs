// What `run_with_timeout` must do. Whether a script had come to a place is asked of a file that it makes there.

use std::fs;
use std::time::Duration;

use judge::exercise::{Case, require};
use nix::errno::Errno;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::wait::{Id, WaitPidFlag, waitid};

use super::answer::{Outcome, run_with_timeout};

pub(crate) const CASES: &[Case] = &[
    Case::of(&a_quick_script_is_not_waited_for_longer).within(SHORT).hang(
        "hang: the script had ended long ago, and you still waited for the limit; look again and \
         again whether it has ended",
    ),
    Case::of(&a_chatty_script_is_not_stopped).within(SHORT).hang(
        "hang: the script is blocked on a full stdout because you read only after its end; read in \
         a thread while you wait",
    ),
    Case::of(&at_the_limit_all_is_killed)
        .within(AFTER_THE_LIMIT)
        .hang(
            "hang after the limit: you killed the shell, but what it started still holds the pipe; \
             start it with process_group(0) and kill the group",
        )
        .signal(SUICIDE)
        .orphan(ORPHAN)
        .zombie(ZOMBIE)
        .descriptor(DESCRIPTOR),
    Case::of(&who_ignores_sigterm_is_killed_too).within(AFTER_THE_LIMIT).hang(
        "hang: the script ignores SIGTERM, and you asked it to end with that; only SIGKILL ends \
         whatever it started",
    ),
    Case::of(&what_a_script_left_in_the_background_is_killed_too)
        .within(AFTER_THE_LIMIT)
        .hang(
            "hang: the script had ended, but what it left in the background still holds the pipe; \
             kill the group also when the shell has ended by itself",
        )
        .signal(SUICIDE)
        .orphan(ORPHAN)
        .zombie(ZOMBIE)
        .descriptor(DESCRIPTOR),
];

const SHORT: Duration = Duration::from_millis(700);
const LIMIT: Duration = Duration::from_millis(300);
const AFTER_THE_LIMIT: Duration = Duration::from_millis(1200);
const LONG: Duration = Duration::from_secs(30);
const SUICIDE: &str = "the caller was killed too: killpg(getpgrp()) is your own group; give the \
                       child a group of its own with process_group(0)";
const ORPHAN: &str = "what the script started still runs: killing the shell does not end its \
                      children, start it with process_group(0) and kill the group";
const ZOMBIE: &str = "the shell was killed, or ended, and was not waited for: call wait after the \
                      kill, too";
const DESCRIPTOR: &str = "a descriptor stays open: has whoever reads the output ended?";

/// The outcome; a failure ends the case.
fn run(script: &str, limit: Duration) -> Outcome {
    let got = run_with_timeout(script, limit);
    let error = got.as_ref().err().map(ToString::to_string).unwrap_or_default();
    require(got.is_ok(), &format!("run_with_timeout of {script:?} failed: {error}"));
    got.unwrap_or_else(|_| unreachable!())
}

judge::case!(
    fn a_quick_script_is_not_waited_for_longer() {
        let got = run("echo begun; exit 3", LONG);
        require(!got.timed_out, "the script ended before its limit, and you say that it timed out");
        let output = String::from_utf8_lossy(&got.output);
        require(output == "begun\n", &format!("it wrote \"begun\\n\", and you say {output:?}"));
    }
);

judge::case!(
    fn a_chatty_script_is_not_stopped() {
        let got = run("head -c 300000 /dev/zero", LONG);
        let length = got.output.len();
        require(!got.timed_out, "the script ended before its limit, and you say that it timed out");
        require(length == 300_000, &format!("of 300000 bytes of output there came {length}"));
    }
);

fn not_waited_for() {
    // Whether it has ended by now or not: a child that is still there was not waited for.
    let any = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    require(waitid(Id::All, any) == Err(Errno::ECHILD), ZOMBIE);
}

judge::case!(
    fn at_the_limit_all_is_killed() {
        let flag = std::env::temp_dir().join("flag");
        let script = format!("echo begun; : > {}; sleep 30; echo never", flag.display());
        let got = run(&script, LIMIT);
        require(got.timed_out, "the script was stopped at its limit: timed_out is true then");
        let output = String::from_utf8_lossy(&got.output);
        require(
            output == "begun\n" || !flag.exists(),
            &format!("before its limit it wrote \"begun\\n\", and of that there came {output:?}"),
        );
        let _ = fs::remove_file(flag);
        not_waited_for();
    }
);

judge::case!(
    fn who_ignores_sigterm_is_killed_too() {
        // What is ignored when a program starts, it ignores, too, from its first moment on.
        // SAFETY: "ignore" runs no code.
        let _ = unsafe { signal(Signal::SIGTERM, SigHandler::SigIgn) };
        let got = run("sleep 30; echo never", LIMIT);
        require(got.timed_out, "the script was stopped at its limit: timed_out is true then");
        not_waited_for();
    }
);

judge::case!(
    fn what_a_script_left_in_the_background_is_killed_too() {
        let got = run("sleep 30 & echo begun", LIMIT);
        let output = String::from_utf8_lossy(&got.output);
        require(
            output == "begun\n" || (got.timed_out && output.is_empty()),
            &format!("it wrote \"begun\\n\", and you say {output:?}"),
        );
        not_waited_for();
    }
);
