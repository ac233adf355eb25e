// What `is_alive` must do. A child lives until its end of a pipe is closed, so nobody waits for a clock.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use judge::exercise::{Case, require};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{close, pipe, read};

use super::answer::Process;

pub(crate) const CASES: &[Case] = &[
    Case::of(&it_turns_false_when_the_process_ends).hang(BLOCKS),
    Case::of(&join_after_is_alive_gives_the_code).hang(BLOCKS),
    Case::of(&two_processes_do_not_disturb_each_other)
        .hang(BLOCKS)
        .zombie("a zombie is left: who waits for the process that was joined?"),
];

const BLOCKS: &str = "hang: is_alive waits for the end of the process; it must only look, with \
                      WNOHANG";

/// A process that ends with `code` when the second value is dropped.
fn lives(code: i32) -> (Process, OwnedFd) {
    use std::os::fd::AsRawFd;
    let (rd, wr) = pipe().expect("a pipe");
    let process = Process::start(|| {
        let _ = close(wr.as_raw_fd());
        let _ = read(&rd, &mut [0]);
        code
    });
    (process.expect("a process"), wr)
}

/// Waits until it has ended, and leaves it a zombie: a zombie has ended.
fn until_ended(process: &Process) {
    let _ = waitid(Id::Pid(process.pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
}

judge::case!(
    fn it_turns_false_when_the_process_ends() {
        let (mut process, end) = lives(7);
        for _ in 0..3 {
            require(process.is_alive(), "the process runs, and is_alive says that it does not");
        }
        drop(end);
        until_ended(&process);
        require(
            !process.is_alive(),
            "an ended process is still reported alive: kill(pid, 0) succeeds on a zombie; poll \
             with waitpid(WNOHANG)",
        );
        require(!process.is_alive(), "asked a second time, the ended process is alive again");
    }
);

judge::case!(
    fn join_after_is_alive_gives_the_code() {
        let (mut process, end) = lives(7);
        drop(end);
        until_ended(&process);
        let _ = process.is_alive();
        let code = process.join();
        require(
            code.is_ok(),
            "join after is_alive failed: is_alive reaped the child and threw its exit code away; \
             keep it",
        );
        require(code == Ok(7), &format!("the process ended with 7, and join gave {code:?}"));
        require(!process.is_alive(), "is_alive after join is true");
        let (mut process, end) = lives(9);
        require(process.is_alive(), "the process runs, and is_alive says that it does not");
        drop(end);
        let start = Instant::now();
        require(process.join() == Ok(9), "join did not give the code of a process that ran");
        require(start.elapsed() < Duration::from_secs(1), "join came late: does it sleep?");
    }
);

judge::case!(
    fn two_processes_do_not_disturb_each_other() {
        let (mut first, end_of_first) = lives(1);
        let (mut second, end_of_second) = lives(2);
        drop(end_of_second);
        until_ended(&second);
        require(
            first.is_alive(),
            "the second process ended, and the first is reported dead: wait for your own pid, not \
             for any child",
        );
        require(!second.is_alive(), "the second process has ended and is reported alive");
        drop(end_of_first);
        let codes = [first.join(), second.join()];
        require(
            codes == [Ok(1), Ok(2)],
            &format!("they ended with 1 and 2, and the joins gave {codes:?}: whose status was it?"),
        );
    }
);
