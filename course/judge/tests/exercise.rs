//! Cases of exercises that must not hurt whoever checks them.

use judge::Verdict;
use judge::exercise::Case;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};

judge::case!(
    /// Signal 0 of everybody, and signals of one, are what they always are.
    fn signals_one() {
        let started = std::process::Command::new("sleep").arg("1000").spawn();
        let mut child = started.expect("sleep");
        judge::exercise::require(kill(Pid::from_raw(-1), None).is_ok(), "it asks only");
        let pid = Pid::from_raw(child.id().cast_signed());
        judge::exercise::require(kill(pid, Signal::SIGKILL).is_ok(), "its own child");
        let _ = child.wait();
        judge::exercise::require(kill(pid, None).is_err(), "nobody is there any more");
    }
);

judge::case!(
    fn signals_everybody() {
        // SIGCONT: if it were sent, it would hurt nobody.
        let _ = kill(Pid::from_raw(-1), Signal::SIGCONT);
    }
);

judge::case!(
    fn signals_everybody_from_a_child() {
        // SAFETY: the case has one thread.
        match unsafe { fork() }.expect("a process") {
            ForkResult::Child => {
                let _ = kill(Pid::from_raw(-1), Signal::SIGCONT);
                // SAFETY: it ends the process, and nothing else.
                unsafe { nix::libc::_exit(0) }
            }
            ForkResult::Parent { child } => {
                let _ = waitpid(child, None);
            }
        }
    }
);

#[test]
fn a_signal_to_everybody_is_not_sent_but_told() {
    for case in [&signals_everybody, &signals_everybody_from_a_child] {
        match Case::of(case).try_out() {
            Verdict::Refused { sentence, .. } => {
                assert!(sentence.contains("it signals the pid -1"), "{sentence}");
            }
            verdict => panic!("{verdict:?}"),
        }
    }
    assert_eq!(Case::of(&signals_one).zombie("").try_out(), Verdict::Passed);
}
