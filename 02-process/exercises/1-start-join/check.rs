// What `Process` must do: start, join, and keep what it was told.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use judge::exercise::{Case, require};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use nix::unistd::{pipe, read, write};

use super::answer::Process;

pub(crate) const CASES: &[Case] = &[
    Case::of(&name_pid_and_code_are_right).comes_back(BACK).hang(
        "hang: the two processes do not run at the same time; start must not wait for the end",
    ),
    Case::of(&a_second_join_gives_the_same_code).comes_back(BACK),
    Case::of(&a_signal_during_join_changes_nothing).comes_back(BACK),
    Case::of(&a_panic_ends_the_child_alone).comes_back(UNWOUND),
    Case::of(&a_signal_gives_its_negative_number)
        .comes_back(BACK)
        .zombie("a zombie is left: join waits for the process, whatever ended it"),
];

const BACK: &str = "the child came back out of start: end it with libc::_exit, or everything after \
                    the call runs twice";
const UNWOUND: &str = "the child's panic unwound through the caller's frames and ran the caller's \
                       destructors: catch it in the child and _exit(101)";

judge::case!(
    fn name_pid_and_code_are_right() {
        // Each waits for the other one's byte: only side by side do they come to an end.
        let (from_a, to_b) = pipe().expect("a pipe");
        let (from_b, to_a) = pipe().expect("a pipe");
        let meet = |to: &_, from: &_, code| {
            let met = write(to, &[1]).is_ok() && read(from, &mut [0]) == Ok(1);
            if met { code } else { 99 }
        };
        let a = Process::start("a", || meet(&to_b, &from_b, 3));
        let b = Process::start("b", || meet(&to_a, &from_a, 4));
        require(a.is_ok() && b.is_ok(), "start failed");
        let (Ok(mut a), Ok(mut b)) = (a, b) else { return };
        require(a.name == "a" && b.name == "b", "the name is not the one that start was given");
        let myself = std::process::id().cast_signed();
        let pids = [a.pid.as_raw(), b.pid.as_raw(), myself];
        require(
            pids[0] > 0 && pids[0] != pids[1] && pids[1] != pids[2] && pids[0] != pids[2],
            &format!("three processes have three pids, and not {pids:?}"),
        );
        let codes = [a.join(), b.join()];
        require(
            codes == [Ok(3), Ok(4)],
            &format!("the children ended with 3 and 4, and the joins gave {codes:?}"),
        );
    }
);

judge::case!(
    fn a_second_join_gives_the_same_code() {
        let Ok(mut process) = Process::start("once", || 7) else { return };
        require(process.join() == Ok(7), "the first join did not give the code");
        let again = process.join();
        require(
            again != Err(nix::errno::Errno::ECHILD),
            "the second join failed with ECHILD: a child can be waited for only once, keep its \
             exit code",
        );
        require(again == Ok(7), &format!("the second join gave {again:?}, and not the same code"));
    }
);

static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_signal: i32) {
    HANDLED.fetch_add(1, Relaxed);
}

judge::case!(
    fn a_signal_during_join_changes_nothing() {
        let action = SigAction::new(SigHandler::Handler(count), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler does nothing but add to an atomic.
        unsafe { sigaction(Signal::SIGALRM, &action) }.expect("a handler");
        let parent = nix::unistd::getpid();
        let started = Process::start("slow", || {
            for _ in 0..20 {
                let _ = nix::sys::signal::kill(parent, Signal::SIGALRM);
                // The parent shall get into its wait in between.
                let pause = nix::poll::PollTimeout::from(2u8);
                let _ = nix::poll::poll(&mut [], pause);
            }
            5
        });
        let Ok(mut process) = started else { return };
        let code = process.join();
        require(HANDLED.load(Relaxed) > 0, "the case itself is broken: no signal was handled");
        require(
            code == Ok(5),
            &format!(
                "a signal was handled while join waited, and join gave {code:?}: on EINTR wait \
                 again"
            ),
        );
    }
);

/// Belongs to the caller: in the child nobody may drop it.
struct Folder(u32);

impl Drop for Folder {
    fn drop(&mut self) {
        require(std::process::id() == self.0, UNWOUND);
    }
}

judge::case!(
    fn a_panic_ends_the_child_alone() {
        let _folder = Folder(std::process::id());
        let started = Process::start("panics", || panic!("on purpose, in the child"));
        let Ok(mut process) = started else { return };
        let code = process.join();
        require(
            code == Ok(101),
            &format!("the child panicked: its code is 101, and join gave {code:?}"),
        );
    }
);

judge::case!(
    fn a_signal_gives_its_negative_number() {
        for signal in [Signal::SIGKILL, Signal::SIGTERM] {
            let started = Process::start("killed", || {
                let _ = raise(signal);
                0
            });
            let Ok(mut process) = started else { return };
            let code = process.join();
            require(
                code == Ok(-(signal as i32)),
                &format!(
                    "{signal} killed the child: join says {}, and not {code:?}",
                    -(signal as i32)
                ),
            );
        }
    }
);
