//! Promises of `ExitStatus`: how a child ended.

use std::fs;

use fork::{ExitStatus, fork};
use judge::{Judge, check, scenario};

scenario!(
    fn ends_in_every_way() {
        let status = |code: i32| fork(|| code).expect("a child").wait().expect("its status");
        let codes = (0..=255).all(|code| status(code) == ExitStatus::Exited(code));
        check("codes", codes, "codes from 0 to 255 arrive as they are");
        let cut = [(256, 0), (257, 1), (-1, 255), (i32::MAX, 255), (i32::MIN, 0)];
        let cut = cut.iter().all(|&(code, arrives)| status(code) == ExitStatus::Exited(arrives));
        check("cut", cut, "of all others the low 8 bits arrive");

        let signals = (1..=libc::SIGRTMAX()).filter(|&signal| ends(signal));
        let told = signals
            .map(|signal| (signal, by_signal(signal, 0)))
            .all(|(signal, status)| status == ExitStatus::Signaled { signal, core_dumped: false });
        check("signals", told, "the signal's number arrives, those of real time included");
    }
);

/// Whether the signal's default ends a process; 32 and 33 are the C library's own.
fn ends(signal: i32) -> bool {
    use libc::{SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH};
    let ignored = [SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH, 32, 33];
    !ignored.contains(&signal)
}

/// The status of a child that sends itself the signal, with its default action.
fn by_signal(signal: i32, core_limit: u64) -> ExitStatus {
    let child = fork(|| raise_with_default(signal, core_limit));
    child.expect("a child").wait().expect("its status")
}

fn raise_with_default(signal: i32, core_limit: u64) -> i32 {
    let limit = libc::rlimit { rlim_cur: core_limit, rlim_max: core_limit };
    // SAFETY: the limit is valid for reading.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) };
    // SAFETY: the default action runs no code of ours.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    // SAFETY: the call takes a number only.
    unsafe { libc::raise(signal) }
}

#[test]
fn wait_tells_exit_codes_and_signals_apart() {
    let judge = Judge::scenario(&ends_in_every_way);
    judge.declare(["codes", "cut", "signals"]).run().assert_clean();
}

scenario!(
    fn dumps_core() {
        let folder = std::env::temp_dir().join(format!("fork-core-{}", std::process::id()));
        fs::create_dir(&folder).expect("a temporary folder");
        std::env::set_current_dir(&folder).expect("a folder of ours");
        let megabyte = 1 << 20;
        // What the machine does with core dumps is its own affair: the bare call is the measure.
        // SAFETY: this process has one thread; the child ends in it.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let code = raise_with_default(libc::SIGABRT, megabyte);
            // SAFETY: it ends the process.
            unsafe { libc::_exit(code) }
        }
        let mut status = 0;
        // SAFETY: `status` is valid for writing.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        let core_dumped = libc::WCOREDUMP(status);
        let told = by_signal(libc::SIGABRT, megabyte);
        println!("core dumped: {core_dumped}");
        let right = told == ExitStatus::Signaled { signal: libc::SIGABRT, core_dumped };
        check("core", right, "a core dump is told as the bare call tells it");
        let shown = told.to_string().ends_with(", core dumped") == core_dumped;
        check("shown", shown, "and in words");
        fs::remove_dir_all(folder).expect("a folder of ours");
    }
);

#[test]
fn wait_tells_a_core_dump() {
    let report = Judge::scenario(&dumps_core).declare(["core", "shown"]).run();
    report.assert_clean();
    if report.stdout().contains("false") {
        eprintln!("NOT TESTED with a core dump: this machine keeps none");
    }
}

#[test]
fn a_status_says_in_words_how_the_child_ended() {
    let by = |signal| ExitStatus::Signaled { signal, core_dumped: false };
    assert_eq!(ExitStatus::Exited(3).to_string(), "exit code 3");
    assert_eq!(by(9).to_string(), "killed by signal 9 (SIGKILL)");
    let real_time = libc::SIGRTMIN() + 2;
    assert_eq!(by(real_time).to_string(), format!("killed by signal {real_time} (SIGRTMIN+2)"));
    assert_eq!((by(15).exitcode(), by(15).code(), by(15).signal()), (-15, None, Some(15)));
    assert!(
        ExitStatus::Exited(0).success() && !ExitStatus::Exited(1).success() && !by(9).success()
    );
}
