//! What a program may take is bounded, and a program that takes more is no pass.

#![allow(clippy::infinite_loop, reason = "programs that never end are the subject")]

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use judge::{Ending, Judge, Limit, check, scenario};
use nix::errno::Errno;
use nix::sys::signal::Signal;

scenario!(
    fn runs_for_ever() {
        loop {
            std::hint::spin_loop();
        }
    }
);

#[test]
fn a_second_of_processor_time_ends_with_its_own_signal() {
    let report = Judge::scenario(&runs_for_ever).limit(Limit::CpuSeconds(1)).run();
    assert_eq!(report.signal(), Some(Signal::SIGXCPU as i32), "{report}");
    assert!(report.verdict().unwrap_err().contains("SIGXCPU"), "{report}");
}

scenario!(
    fn writes_a_large_file() {
        let path = std::env::temp_dir().join("large");
        let mut file = File::create(path).expect("a file");
        loop {
            file.write_all(&[0; 64 << 10]).expect("room");
        }
    }
);

#[test]
fn a_file_that_grows_too_large_ends_with_its_own_signal() {
    let report = Judge::scenario(&writes_a_large_file).limit(Limit::FileSize(1 << 20)).run();
    assert_eq!(report.signal(), Some(Signal::SIGXFSZ as i32), "{report}");
    assert_eq!(report.left_over().files, ["large"], "{report}");
}

scenario!(
    fn opens_many_files() {
        let mut open = Vec::new();
        let error = loop {
            match File::open("/dev/null") {
                Ok(file) => open.push(file),
                Err(error) => break error,
            }
        };
        let (refused, count) = (error.raw_os_error() == Some(Errno::EMFILE as i32), open.len());
        // The report needs one too.
        drop(open);
        check("refused", refused && count < 20, "it may have 20 descriptors");
    }
);

#[test]
fn more_descriptors_than_allowed_are_refused() {
    let judge = Judge::scenario(&opens_many_files).limit(Limit::OpenFiles(20));
    judge.declare(["refused"]).run().assert_clean();
}

scenario!(
    fn asks_for_much_memory() {
        let small = Vec::<u8>::new().try_reserve_exact(1 << 20).is_ok();
        let large = Vec::<u8>::new().try_reserve_exact(1 << 30).is_ok();
        check("refused", small && !large, "a mebibyte is there, a gibibyte is not");
    }
);

#[test]
fn more_address_space_than_allowed_is_refused() {
    let judge = Judge::scenario(&asks_for_much_memory).limit(Limit::AddressSpace(512 << 20));
    judge.declare(["refused"]).run().assert_clean();
}

#[test]
fn more_processes_than_allowed_end_the_run() {
    let script = "for i in 1 2 3 4 5 6 7 8; do sleep 600 & done; wait";
    let judge = Judge::program("/bin/sh").args(["-c", script]);
    let report = judge.limit(Limit::Processes(5)).run();
    assert_eq!(report.ending(), Ending::TooManyProcesses, "{report}");
    assert!(report.verdict().unwrap_err().contains("more processes"), "{report}");
}

scenario!(
    fn starts_many_threads() {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let _ = std::thread::Builder::new().spawn_scoped(scope, nix::unistd::pause);
            }
        });
    }
);

#[test]
fn threads_count_as_processes() {
    let report = Judge::scenario(&starts_many_threads).limit(Limit::Processes(5)).run();
    assert_eq!(report.ending(), Ending::TooManyProcesses, "{report}");
}

#[test]
fn as_many_as_allowed_are_no_trouble() {
    let script = "for i in 1 2 3 4; do sleep 0.05 & done; wait";
    let judge = Judge::program("/bin/sh").args(["-c", script]);
    judge.limit(Limit::Processes(5)).run().assert_clean();
}

#[test]
fn the_limits_are_told_among_the_means() {
    let limits = [
        (Limit::CpuSeconds(7), "limit: 7 s of processor time a process"),
        (Limit::AddressSpace(1 << 30), "limit: 1073741824 bytes of address space a process"),
        (Limit::OpenFiles(30), "limit: 30 descriptors a process"),
        (Limit::FileSize(1 << 20), "limit: 1048576 bytes a file"),
        (Limit::Processes(9), "limit: 9 processes and threads"),
    ];
    let judge = limits.iter().fold(Judge::program("/bin/true"), |judge, it| judge.limit(it.0));
    let report = judge.run();
    report.assert_clean();
    for (_, line) in limits {
        assert!(report.means().iter().any(|it| it.starts_with(line)), "{line}: {report}");
    }
}

scenario!(
    fn ends_a_moment_after_its_deadline() {
        judge::exercise::pause(JUST_TOO_LATE);
    }
);

const JUST_TOO_LATE: Duration = Duration::from_millis(350);

#[test]
fn a_deadline_is_met_by_whoever_is_not_stuck_when_it_is_looked_at() {
    let deadline = JUST_TOO_LATE - Duration::from_millis(50);
    for _ in 0..3 {
        let report = Judge::scenario(&ends_a_moment_after_its_deadline).deadline(deadline).run();
        // On a busy machine it may not have ended, but then there is something to say.
        assert_eq!(report.timed_out(), !report.stuck().is_empty(), "{report}");
    }
}
