// What `detach` must do. The worker waits on a pipe until the case has looked at it.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use judge::exercise::{Case, require};
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, getpgid, getpid, getsid, pipe};

use super::answer::detach;

pub(crate) const CASES: &[Case] = &[
    Case::of(&the_pid_is_the_workers).comes_back(BACK).hang(HANG),
    Case::of(&the_worker_has_its_own_session).comes_back(BACK).hang(HANG),
    Case::of(&no_zombie_is_left).comes_back(BACK).hang(HANG).zombie(ZOMBIE),
    Case::of(&nothing_is_waited_for_and_nothing_left_open)
        .comes_back(BACK)
        .hang(HANG)
        .within(Duration::from_secs(4))
        .descriptor("a descriptor stays open at each call: close both ends of the pipe"),
];

const BACK: &str = "a child came back out of detach: both the middle process and the worker must \
                    end with libc::_exit";
const HANG: &str = "hang: detach did not return; it must not wait for the work, so the read of the \
                    pid must end although the worker lives on";
const ZOMBIE: &str = "a zombie is left: the middle process of the double fork is your child, wait \
                      for it";

/// A worker that lives until the second value is dropped; it holds no write end itself.
fn lives(rd: &OwnedFd, wr: &OwnedFd) {
    use std::os::fd::AsRawFd;
    let _ = nix::unistd::close(wr.as_raw_fd());
    let _ = File::from(rd.try_clone().expect("a descriptor")).read(&mut [0]);
}

/// Waits until it has ended, whoever reaps it: the worker's end is what the case looks at.
fn until_ended(pid: Pid) {
    let end = Instant::now() + Duration::from_secs(1);
    let lives = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    };
    while lives() && Instant::now() < end {
        std::thread::yield_now();
    }
}

judge::case!(
    fn the_pid_is_the_workers() {
        let (rd, wr) = pipe().expect("a pipe");
        let (tells, told) = pipe().expect("a pipe");
        let pid = detach(|| {
            let me = std::process::id().to_ne_bytes();
            let _ = nix::unistd::write(&told, &me);
            lives(&rd, &wr);
        });
        require(pid.is_ok(), &format!("detach failed: {pid:?}"));
        let pid = pid.unwrap_or(getpid());
        require(pid != getpid(), "the pid you returned is the caller's own");
        let mut workers = [0; 4];
        let _ = File::from(tells).read_exact(&mut workers);
        let workers = Pid::from_raw(i32::from_ne_bytes(workers));
        require(
            waitpid(workers, Some(WaitPidFlag::WNOHANG)) == Err(Errno::ECHILD),
            "the worker is your child: fork once more, and let the one in the middle end",
        );
        require(
            pid == workers,
            "the pid you returned is the middle process, which is already dead: send the \
             grandchild's own pid back through the pipe",
        );
        drop(wr);
        until_ended(pid);
    }
);

judge::case!(
    fn the_worker_has_its_own_session() {
        let (rd, wr) = pipe().expect("a pipe");
        let pid = detach(|| lives(&rd, &wr)).unwrap_or(getpid());
        require(
            getsid(Some(pid)) != getsid(None),
            "the worker is in your session, and ends with your terminal: the middle process calls \
             setsid()",
        );
        require(
            getpgid(Some(pid)) != getpgid(None),
            "the worker is in your process group, and gets your Ctrl-C: the middle process calls \
             setsid()",
        );
        drop(wr);
        until_ended(pid);
    }
);

judge::case!(
    fn no_zombie_is_left() {
        let (rd, wr) = pipe().expect("a pipe");
        let pid = detach(|| lives(&rd, &wr)).unwrap_or(getpid());
        drop(wr);
        until_ended(pid);
        // It waits: a middle process that nobody waited for may not have come to its end yet.
        let child = waitpid(None, None);
        let sentence = match child.map(|status| status.pid()) {
            Ok(Some(child)) if child == pid => "the worker has ended, and is your zombie now",
            _ => ZOMBIE,
        };
        require(child == Err(Errno::ECHILD), sentence);
    }
);

judge::case!(
    fn nothing_is_waited_for_and_nothing_left_open() {
        for _ in 0..20 {
            let (rd, wr) = pipe().expect("a pipe");
            let pid = detach(|| lives(&rd, &wr));
            require(pid.is_ok(), "after some calls it fails: does each leave something behind?");
            drop(wr);
            until_ended(pid.unwrap_or(getpid()));
        }
    }
);
