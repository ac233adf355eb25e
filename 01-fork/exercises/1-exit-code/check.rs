// What `run_in_child` must do, the simplest first.

use std::process::id;

use judge::exercise::{Case, require};
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::answer::run_in_child;

pub(crate) const CASES: &[Case] = &[
    Case::of(&codes_come_back_unchanged).comes_back(BACK),
    Case::of(&only_eight_bits_survive).comes_back(BACK),
    Case::of(&a_signal_is_128_and_its_number).comes_back(BACK),
    Case::of(&the_child_is_reaped_and_nobody_elses)
        .comes_back(BACK)
        .zombie("your child is left as a zombie: wait for it, with its pid"),
];

const BACK: &str = "the child came back out of run_in_child: end it with libc::_exit(code), or \
                    everything after the call runs twice";

judge::case!(
    fn codes_come_back_unchanged() {
        for code in [0, 7, 255] {
            let me = id();
            let got = run_in_child(|| code);
            require(id() == me, BACK);
            require(
                got != Ok(code << 8) || code == 0,
                "you returned the raw wait status (code << 8): take the code out with \
                 WEXITSTATUS or WaitStatus::Exited",
            );
            require(
                got == Ok(code),
                &format!("the child ended with {code}, and run_in_child returned {got:?}"),
            );
        }
    }
);

judge::case!(
    fn only_eight_bits_survive() {
        for (code, seen) in [(256, 0), (-1, 255)] {
            let got = run_in_child(|| code);
            require(
                got == Ok(seen),
                &format!(
                    "the child ended with {code}; of it the kernel keeps the low 8 bits, {seen}, \
                     and run_in_child returned {got:?}"
                ),
            );
        }
    }
);

judge::case!(
    fn a_signal_is_128_and_its_number() {
        for (signal, seen) in [(Signal::SIGKILL, 137), (Signal::SIGTERM, 143)] {
            let got = run_in_child(|| {
                let _ = raise(signal);
                0
            });
            require(
                got != Ok(signal as i32),
                "you returned the signal's number alone, which looks like an exit code: add 128",
            );
            require(
                got == Ok(seen),
                &format!("the child was killed by {signal}: say {seen}, and not {got:?}"),
            );
        }
    }
);

judge::case!(
    fn the_child_is_reaped_and_nobody_elses() {
        let mut other = std::process::Command::new("/bin/true").spawn().expect("/bin/true");
        // Ended, and not reaped: a wait for any child would take it.
        let other_pid = Pid::from_raw(other.id().cast_signed());
        let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        let _ = nix::sys::wait::waitid(nix::sys::wait::Id::Pid(other_pid), ended);
        let got = run_in_child(|| 7);
        require(
            other.wait().is_ok(),
            "you reaped a child that is not yours: wait for the pid that fork gave you, not for \
             any child",
        );
        require(got == Ok(7), &format!("with another child beside it, it returned {got:?}"));
        let left = waitpid(None, Some(WaitPidFlag::WNOHANG));
        require(
            left == Err(nix::errno::Errno::ECHILD) || left == Ok(WaitStatus::StillAlive),
            "your child is left as a zombie: wait for it, with its pid",
        );
    }
);
