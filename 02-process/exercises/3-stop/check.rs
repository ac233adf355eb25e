// What `stop` must do, to a process that is polite, to one that is stubborn, and to one that is gone.

use std::fs::File;
use std::io::Read;
use std::time::{Duration, Instant};

use judge::exercise::{Case, require};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{Pid, pipe, write};

use super::answer::Process;

pub(crate) const CASES: &[Case] = &[
    Case::of(&a_polite_process_may_clean_up).within(Duration::from_secs(4)).signal(GROUP),
    Case::of(&a_stubborn_process_is_killed)
        .hang(
            "hang: the process ignores SIGTERM and you wait without a limit; send SIGKILL after \
             the grace period",
        )
        .signal(GROUP),
    Case::of(&stopped_once_more_no_signal_is_sent).signal(GROUP),
    Case::of(&nothing_is_left)
        .zombie("a zombie is left: after SIGKILL the process must be waited for as well")
        .signal(GROUP),
];

const GROUP: &str = "the signal went to the caller itself: a pid of 0 or -1 means the whole group, \
                     or everybody";

fn handle(signal: Signal, handler: SigHandler) {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: the handlers of this check make one call that is allowed in them.
    let _ = unsafe { sigaction(signal, &action) };
}

static CLEANS_UP: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(-1);

extern "C" fn clean_up(_signal: i32) {
    let fd = CLEANS_UP.load(std::sync::atomic::Ordering::Relaxed);
    // SAFETY: write and _exit are async-signal-safe.
    unsafe { libc::write(fd, c"clean".as_ptr().cast(), 5) };
    // SAFETY: as above.
    unsafe { libc::_exit(0) };
}

/// A process that is ready for its signal when this returns.
fn started(ready: impl FnOnce()) -> Process {
    let (rd, wr) = pipe().expect("a pipe");
    let process = Process::start(|| {
        ready();
        let _ = write(&wr, &[1]);
        nix::unistd::pause();
        0
    });
    drop(wr);
    let _ = File::from(rd).read(&mut [0]);
    process.expect("a process")
}

judge::case!(
    fn a_polite_process_may_clean_up() {
        use std::os::fd::AsRawFd;
        let (rd, wr) = pipe().expect("a pipe");
        CLEANS_UP.store(wr.as_raw_fd(), std::sync::atomic::Ordering::Relaxed);
        let mut process = started(|| handle(Signal::SIGTERM, SigHandler::Handler(clean_up)));
        let start = Instant::now();
        let polite = process.stop(Duration::from_secs(3));
        let took = start.elapsed();
        drop(wr);
        let mut said = String::new();
        let _ = File::from(rd).read_to_string(&mut said);
        require(
            said == "clean",
            "the process got no chance to clean up: send SIGTERM first and give it the grace period",
        );
        require(
            took < Duration::from_secs(2),
            "the process had ended, and you went on waiting: look again and again while the grace \
             lasts",
        );
        require(
            polite == Ok(true),
            &format!("it went by itself: say Ok(true), and not {polite:?}"),
        );
    }
);

judge::case!(
    fn a_stubborn_process_is_killed() {
        let mut process = started(|| handle(Signal::SIGTERM, SigHandler::SigIgn));
        let (grace, start) = (Duration::from_millis(200), Instant::now());
        let polite = process.stop(grace);
        require(
            start.elapsed() >= grace,
            "it was killed before its grace was over: a process may need all of it",
        );
        require(
            polite == Ok(false),
            &format!("it had to be killed: say Ok(false), and not {polite:?}"),
        );
    }
);

judge::case!(
    fn stopped_once_more_no_signal_is_sent() {
        let mut process = started(|| ());
        let _ = process.stop(Duration::from_secs(1));
        let again = process.stop(Duration::from_secs(1));
        require(
            again == Ok(false),
            &format!("stopped before, it is Ok(false), and not {again:?}: is the pid forgotten?"),
        );
        require(process.pid.is_none(), "it was reaped: its pid may be anybody's, forget it");
    }
);

judge::case!(
    fn nothing_is_left() {
        let mut pids: Vec<Option<Pid>> = Vec::new();
        for polite in [true, false] {
            let ignore = || handle(Signal::SIGTERM, SigHandler::SigIgn);
            let mut process = started(|| {
                if !polite {
                    ignore()
                }
            });
            pids.push(process.pid);
            let _ = process.stop(Duration::from_millis(100));
        }
        for pid in pids.into_iter().flatten() {
            let gone = nix::sys::wait::waitpid(pid, Some(nix::sys::wait::WaitPidFlag::WNOHANG));
            require(
                gone == Err(nix::errno::Errno::ECHILD),
                "a zombie is left: after SIGKILL the process must be waited for as well",
            );
        }
    }
);
