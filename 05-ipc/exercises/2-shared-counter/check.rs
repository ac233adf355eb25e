// What `count_in_children` must do. When a child counts is not left to chance: pthread_atfork's handlers, which run
// inside of fork, hold the parent until a child has ended, or the children until all of them are there.

use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use judge::exercise::{Case, require};
use nix::sys::wait::{Id, WaitPidFlag, waitid};

use super::answer::count_in_children;

pub(crate) const CASES: &[Case] = &[
    Case::of(&the_parent_sees_what_a_child_counted).comes_back(BACK),
    Case::of(&late_children_are_waited_for).comes_back(BACK),
    Case::of(&four_children_count_at_once).comes_back(BACK).within(Duration::from_secs(3)).hang(
        "hang: the children do not run at the same time, you wait for one before you fork the \
         next; fork all of them first",
    ),
    Case::of(&nothing_is_left)
        .comes_back(BACK)
        .zombie("a zombie is left: wait for every child, with its pid"),
];

const BACK: &str = "a child came back out of count_in_children: end it with libc::_exit, or \
                    everything after the call runs twice";

fn at_fork(parent: Option<unsafe extern "C" fn()>, child: Option<unsafe extern "C" fn()>) {
    // SAFETY: the handlers make system calls and touch atomics, and nothing else.
    unsafe { libc::pthread_atfork(None, parent, child) };
}

extern "C" fn until_the_child_has_ended() {
    let _ = waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
}

judge::case!(
    fn the_parent_sees_what_a_child_counted() {
        at_fork(Some(until_the_child_has_ended), None);
        let got = count_in_children(1, 10);
        require(
            got != Ok(0),
            "the parent sees 0: a MAP_PRIVATE mapping (or a static, or a Box) is copied on write \
             after fork; map it MAP_SHARED",
        );
        require(got == Ok(10), &format!("one child counted to 10, and you returned {got:?}"));
    }
);

extern "C" fn one_more() {
    FORKED.fetch_add(1, SeqCst);
}

/// The second one later than the first: what is looked at is who is waited for, and not how they count side by side.
extern "C" fn late() {
    let (pause, before) = ([300_000, 600_000], FORKED.load(SeqCst));
    // SAFETY: it sleeps, and nothing else.
    unsafe { libc::usleep(pause[before.min(1)]) };
}

judge::case!(
    fn late_children_are_waited_for() {
        at_fork(Some(one_more), Some(late));
        let got = count_in_children(2, 10);
        require(
            got == Ok(20),
            &format!(
                "two children that began late counted to 10 each, and you returned {got:?}: wait \
                 for every child before you read"
            ),
        );
    }
);

static GATE: [AtomicI32; 2] = [AtomicI32::new(-1), AtomicI32::new(-1)];
static FORKED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn opens_the_gate_at_the_fourth() {
    if FORKED.fetch_add(1, SeqCst) == 3 {
        // SAFETY: the descriptor is open, and four bytes are there.
        unsafe { libc::write(GATE[1].load(SeqCst), c"go!!".as_ptr().cast(), 4) };
    }
}

/// How often a child has stopped: often enough, and not so often that a slow machine gets nowhere.
static STOPS: AtomicUsize = AtomicUsize::new(0);

fn stop_soon() {
    let never = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let soon = libc::timeval { tv_sec: 0, tv_usec: 100 };
    let timer = libc::itimerval { it_interval: never, it_value: soon };
    // SAFETY: the timer lives through the call.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()) };
}

extern "C" fn stops_for_a_moment(_signal: i32) {
    // SAFETY: nanosleep is async-signal-safe, and so is what usleep makes of it.
    unsafe { libc::usleep(200) };
    if STOPS.fetch_add(1, SeqCst) < 40 {
        stop_soon();
    }
}

/// Waits until all are there; from then on it stops again and again in the middle of what it does, while the others
/// go on.
extern "C" fn waits_at_the_gate() {
    let mut byte = 0_u8;
    // SAFETY: the descriptor is open, and there is room for one byte.
    unsafe { libc::read(GATE[0].load(SeqCst), (&raw mut byte).cast(), 1) };
    stop_soon();
}

judge::case!(
    fn four_children_count_at_once() {
        use std::os::fd::AsRawFd;
        let (rd, wr) = nix::unistd::pipe().expect("a pipe");
        GATE[0].store(rd.as_raw_fd(), SeqCst);
        GATE[1].store(wr.as_raw_fd(), SeqCst);
        let stops = nix::sys::signal::SigAction::new(
            nix::sys::signal::SigHandler::Handler(stops_for_a_moment),
            nix::sys::signal::SaFlags::SA_RESTART,
            nix::sys::signal::SigSet::empty(),
        );
        // SAFETY: the handler sleeps, and nothing else.
        unsafe { nix::sys::signal::sigaction(nix::sys::signal::Signal::SIGALRM, &stops) }
            .expect("a handler");
        at_fork(Some(opens_the_gate_at_the_fourth), Some(waits_at_the_gate));
        let got = count_in_children(4, 500_000);
        require(
            got.is_err() || got.is_ok_and(|count| count >= 2_000_000),
            &format!(
                "updates are lost, {got:?} of 2000000 are there: load + store is not atomic \
                 between processes either; use fetch_add"
            ),
        );
        require(got == Ok(2_000_000), &format!("of 2000000 you counted {got:?}"));
    }
);

fn shared_mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    // Neighbours are shown as one line, so the pages are counted.
    let pages = |line: &str| {
        let (from, to) = line.split_whitespace().next()?.split_once('-')?;
        let number = |hex| usize::from_str_radix(hex, 16).ok();
        Some((number(to)? - number(from)?) / 4096)
    };
    maps.lines()
        .filter(|line| line.split_whitespace().nth(1).is_some_and(|mode| mode.ends_with('s')))
        .filter_map(pages)
        .sum()
}

judge::case!(
    fn nothing_is_left() {
        let before = shared_mappings();
        for _ in 0..20 {
            require(count_in_children(2, 5) == Ok(10), "after some calls the count is another");
        }
        require(
            shared_mappings() < before + 20,
            "a mapping is left at each call: munmap it when the count is read",
        );
    }
);
