// What `run_all` must do. When a child ends is not left to chance: a handler of pthread_atfork, which runs inside of
// fork, holds the parent until the new child has ended.

use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
use std::time::Duration;

use judge::exercise::{Case, require};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::time::TimeValLike;
use nix::sys::wait::{Id, WaitPidFlag, waitid};

use super::answer::run_all;

pub(crate) const CASES: &[Case] = &[
    Case::of(&a_quick_child_is_noticed).comes_back(BACK).within(SHORT).hang(
        "hang with a single quick child: it ended before you blocked SIGCHLD, so the signal was \
         thrown away; block it before the fork",
    ),
    Case::of(&children_that_end_at_once_are_all_noticed).comes_back(BACK).within(SHORT).hang(
        "hang: several children ended but only one SIGCHLD was pending (signals do not queue); \
         after each signal reap every child that has ended",
    ),
    Case::of(&codes_are_in_order_and_nobody_polls).comes_back(BACK),
    Case::of(&children_run_with_the_callers_mask).comes_back(BACK),
    Case::of(&no_other_child_is_reaped)
        .comes_back(BACK)
        .zombie("a zombie is left: reap each of your children"),
];

const BACK: &str = "a child came back out of run_all: end it with libc::_exit, or everything after \
                    the call runs twice";
const SHORT: Duration = Duration::from_secs(1);

static PIDS: [AtomicI32; 2] = [AtomicI32::new(-1), AtomicI32::new(-1)];

extern "C" fn tells_its_pid() {
    let pid = std::process::id();
    // SAFETY: the descriptor is open, and four bytes are there.
    unsafe { libc::write(PIDS[1].load(SeqCst), (&raw const pid).cast(), 4) };
}

extern "C" fn until_the_child_has_ended() {
    let mut pid = 0_i32;
    // SAFETY: the descriptor is open, and there is room for four bytes.
    unsafe { libc::read(PIDS[0].load(SeqCst), (&raw mut pid).cast(), 4) };
    let child = Id::Pid(nix::unistd::Pid::from_raw(pid));
    let _ = waitid(child, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
}

/// From now on each child has ended when fork returns to the parent.
fn children_end_before_fork_returns() {
    use std::os::fd::IntoRawFd;
    let (rd, wr) = nix::unistd::pipe().expect("a pipe");
    PIDS[0].store(rd.into_raw_fd(), SeqCst);
    PIDS[1].store(wr.into_raw_fd(), SeqCst);
    // SAFETY: the handlers make system calls and touch atomics, and nothing else.
    unsafe {
        libc::pthread_atfork(None, Some(until_the_child_has_ended), Some(tells_its_pid));
    }
}

fn expect(n: usize, f: fn(usize) -> i32, codes: &[i32]) {
    let got = run_all(n, f);
    require(
        got.as_deref() == Ok(codes),
        &format!("the children's codes are {codes:?}, and run_all returned {got:?}"),
    );
}

judge::case!(
    fn a_quick_child_is_noticed() {
        children_end_before_fork_returns();
        expect(1, |_| 7, &[7]);
    }
);

judge::case!(
    fn children_that_end_at_once_are_all_noticed() {
        children_end_before_fork_returns();
        expect(4, |_| 7, &[7; 4]);
    }
);

/// The last one ends first.
fn takes_its_time(i: usize) -> i32 {
    judge::exercise::pause(Duration::from_millis(300 - 50 * i as u64));
    if i == 1 {
        let _ = raise(Signal::SIGKILL);
    }
    i as i32
}

judge::case!(
    fn codes_are_in_order_and_nobody_polls() {
        let slept =
            || getrusage(UsageWho::RUSAGE_SELF).map_or(0, |u| u.voluntary_context_switches());
        let worked = || {
            let time = getrusage(UsageWho::RUSAGE_SELF).expect("usage");
            (time.user_time() + time.system_time()).num_milliseconds()
        };
        let before = (slept(), worked());
        expect(3, takes_its_time, &[0, -1, 2]);
        let (slept, worked) = (slept() - before.0, worked() - before.1);
        require(
            slept < 25 && worked < 60,
            &format!(
                "you poll: while three children ran you woke {slept} times and computed {worked} \
                 ms; sleep until the signal comes, with SigSet::wait"
            ),
        );
    }
);

fn blocked(_: usize) -> i32 {
    let mask = SigSet::thread_get_mask().unwrap_or_else(|_| SigSet::empty());
    i32::from(mask.contains(Signal::SIGCHLD)) + 2 * i32::from(mask.contains(Signal::SIGUSR1))
}

judge::case!(
    fn children_run_with_the_callers_mask() {
        let usr1 = SigSet::from(Signal::SIGUSR1);
        usr1.thread_block().expect("a mask");
        let got = run_all(1, blocked);
        require(
            got != Ok(vec![3]),
            "the child runs with SIGCHLD blocked, which the caller had not: set the old mask in \
             the child",
        );
        require(
            got == Ok(vec![2]),
            "the child runs without a signal blocked that the caller had blocked: set exactly the \
             caller's mask in the child",
        );
        require(
            blocked(0) == 2,
            "after run_all the caller's mask is another: set exactly the old one at the end",
        );
        SigSet::from(Signal::SIGCHLD).thread_block().expect("a mask");
        let _ = run_all(1, blocked);
        require(
            blocked(0) == 3,
            "the caller had SIGCHLD blocked, and after run_all it is not: restore the old mask, do \
             not just unblock",
        );
    }
);

judge::case!(
    fn no_other_child_is_reaped() {
        let mut other = std::process::Command::new("/bin/true").spawn().expect("/bin/true");
        let pid = nix::unistd::Pid::from_raw(other.id().cast_signed());
        let _ = waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
        expect(2, |i| i as i32, &[0, 1]);
        require(
            other.wait().is_ok(),
            "you reaped a child that is not yours: ask for your own pids, one by one",
        );
    }
);
