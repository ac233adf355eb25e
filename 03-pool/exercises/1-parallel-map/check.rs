// What `parallel_map` must do. Workers meet and wait for each other through pipes that they inherit: who ran together,
// and who ended last, is not left to the clock.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::parent_id;
use std::sync::OnceLock;
use std::thread::yield_now;
use std::time::{Duration, Instant};

use judge::exercise::{Case, require};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::pipe;

use super::answer::parallel_map;

pub(crate) const CASES: &[Case] = &[
    Case::of(&one_result_comes_back).comes_back(BACK).within(SHORT).hang(
        "hang: you still hold the write end of the worker's pipe, so your read never comes to its \
         end; drop it in the parent first",
    ),
    Case::of(&all_workers_run_at_the_same_time).comes_back(BACK).within(SHORT).hang(
        "the workers ran one after the other: start them all first, then collect (each of these \
         four waits until all four are there)",
    ),
    Case::of(&results_are_in_the_order_of_the_inputs).comes_back(BACK),
    Case::of(&a_result_larger_than_a_pipe_comes_back).comes_back(BACK).within(SHORT).hang(
        "hang on a large result: the worker is blocked writing into a full pipe while you wait for \
         its exit; drain it to the end first, then wait",
    ),
    Case::of(&nothing_is_left)
        .comes_back(BACK)
        .zombie(ZOMBIE)
        .descriptor("a descriptor stays open at each call: close both ends of every pipe"),
];

const SHORT: Duration = Duration::from_millis(700);
const BACK: &str = "a worker came back out of parallel_map: end it with libc::_exit, or everything \
                    after the call runs twice";
const ZOMBIE: &str = "a worker was not waited for: the end of its pipe is not the end of the \
                      process, call waitpid for each";

fn text(x: u64) -> Vec<u8> {
    format!("result {x}").into_bytes()
}

judge::case!(
    fn one_result_comes_back() {
        let got = parallel_map(&[7], text);
        require(got == Ok(vec![text(7)]), &format!("of \"result 7\" there came {got:?}"));
        let got = parallel_map(&[8], |_| Vec::new());
        require(got == Ok(vec![Vec::new()]), &format!("an empty result came as {got:?}"));
        let got = parallel_map(&[], text);
        require(got == Ok(Vec::new()), &format!("no inputs give no results, and not {got:?}"));
    }
);

/// Two pipes that the workers inherit, both ends of each: to say "here", and to be let go.
struct Pipes {
    here: (File, File),
    go: (File, File),
}

static PIPES: OnceLock<Pipes> = OnceLock::new();

fn pipes() -> &'static Pipes {
    let both = || pipe().map(|(rd, wr)| (File::from(rd), File::from(wr))).expect("a pipe");
    PIPES.get_or_init(|| Pipes { here: both(), go: both() })
}

/// The last of four lets all go when all are there.
fn meets_the_others(x: u64) -> Vec<u8> {
    let pipes = pipes();
    let _ = (&pipes.here.1).write_all(&[0]);
    if x == 3 {
        let _ = (&pipes.here.0).read_exact(&mut [0; 4]);
        let _ = (&pipes.go.1).write_all(&[0; 4]);
    }
    let _ = (&pipes.go.0).read_exact(&mut [0]);
    text(x)
}

judge::case!(
    fn all_workers_run_at_the_same_time() {
        pipes();
        let got = parallel_map(&[0, 1, 2, 3], meets_the_others);
        let count = got.as_ref().map(Vec::len);
        require(count == Ok(4), &format!("four inputs gave {count:?} results"));
    }
);

/// The state of a process as in ps: S when it sleeps, Z when it has ended; none when it was waited for, too.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// The first of four ends when the three others have ended, and the parent has done with them what it wants to.
fn the_first_ends_last(x: u64) -> Vec<u8> {
    let pipes = pipes();
    if x != 0 {
        let _ = (&pipes.here.1).write_all(&std::process::id().to_ne_bytes());
        return text(x);
    }
    let start = Instant::now();
    for _ in 0..3 {
        let mut pid = [0; 4];
        let _ = (&pipes.here.0).read_exact(&mut pid);
        // A parent that waits for whoever ends takes the dead in the order of their start if it comes late. So it gets
        // the time: until it has taken this one, or sleeps, for 20 ms, though there is one to be taken.
        let mut awake = Instant::now();
        while start.elapsed() < Duration::from_secs(1) {
            match state(u32::from_ne_bytes(pid)) {
                None => break,
                Some('Z') if state(parent_id()) == Some('S') => {
                    if awake.elapsed() > Duration::from_millis(20) {
                        break;
                    }
                }
                Some(_) => awake = Instant::now(),
            }
            yield_now();
        }
    }
    text(x)
}

judge::case!(
    fn results_are_in_the_order_of_the_inputs() {
        pipes();
        let got = parallel_map(&[0, 1, 2, 3], the_first_ends_last).unwrap_or_default();
        let words: Vec<_> = got.iter().map(|result| String::from_utf8_lossy(result)).collect();
        require(
            got == [text(0), text(1), text(2), text(3)],
            &format!(
                "the first worker ended last, and you returned {words:?}: results belong in the \
                 order of the inputs, whoever is ready first"
            ),
        );
    }
);

judge::case!(
    fn a_result_larger_than_a_pipe_comes_back() {
        let got = parallel_map(&[1, 2], |x| vec![x as u8; 300_000]).unwrap_or_default();
        let lengths: Vec<_> = got.iter().map(Vec::len).collect();
        require(
            lengths == [300_000, 300_000],
            &format!("of 300000 bytes each there came {lengths:?}: one read takes what is there"),
        );
        require(got == [vec![1; 300_000], vec![2; 300_000]], "the bytes that came are others");
    }
);

judge::case!(
    fn nothing_is_left() {
        for _ in 0..5 {
            let got = parallel_map(&[1, 2, 3], text);
            require(got.is_ok(), "after some calls it fails: does each leave something behind?");
            // Whether it has ended by now or not: a child that is still there was not waited for.
            let any = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
            require(waitid(Id::All, any) == Err(Errno::ECHILD), ZOMBIE);
        }
    }
);
