//! What a run tells of the program.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use judge::{Ending, Judge, Report, check, scenario};
use nix::sys::signal::Signal;

fn shell(script: &str) -> Judge {
    Judge::program("/bin/sh").args(["-c", script])
}

#[track_caller]
fn fails_with(report: &Report, reason: &str) {
    let verdict = report.verdict().expect_err("it is no pass");
    assert!(verdict.contains(reason), "wanted {reason:?}\n{verdict}\n{report}");
}

scenario!(
    fn greets() {
        println!("hello from {}", std::process::id());
        check("greeted", true, "nobody was greeted");
    }
);

#[test]
fn a_scenario_runs_in_a_process_of_its_own() {
    let report = Judge::scenario(&greets).declare(["greeted"]).run();
    report.assert_clean();
    assert_eq!(report.stdout(), format!("hello from {}\n", report.pid()));
}

#[test]
fn a_check_that_never_reported_is_a_failure() {
    let report = Judge::scenario(&greets).declare(["greeted", "thanked"]).run();
    fails_with(&report, "check \"thanked\" never reported");
}

scenario!(
    fn fails_once() {
        check("tried", true, "it holds the first time");
        check("tried", false, "and not the second");
        check("tried", true, "and does again");
    }
);

#[test]
fn a_check_that_failed_once_is_a_failure_though_it_passed_before_and_after() {
    let report = Judge::scenario(&fails_once).declare(["tried"]).run();
    fails_with(&report, "check \"tried\" failed: and not the second");
}

scenario!(
    fn forges() {
        let mut checks = fs::File::options()
            .append(true)
            .open(std::env::var("JUDGE_CHECKS").expect("a file"))
            .expect("it is there");
        checks.write_all(b"greeted: passed").expect("room");
        check("greeted", true, "after the nonsense nothing can be read");
    }
);

#[test]
fn what_is_no_report_is_a_failure_and_not_skipped() {
    let report = Judge::scenario(&forges).declare(["greeted"]).run();
    fails_with(&report, "cut short");
}

scenario!(
    fn loses_its_reports() {
        fs::remove_file(std::env::var("JUDGE_CHECKS").expect("a file")).expect("it is there");
        check("undeclared", false, "a failure that nobody would hear of");
    }
);

#[test]
fn a_check_that_can_not_report_panics() {
    let report = Judge::scenario(&loses_its_reports).run();
    assert!(report.verdict().is_err(), "{report}");
}

scenario!(
    fn panics() {
        panic!("on purpose");
    }
);

#[test]
fn a_panic_is_exit_code_101_and_its_message_is_kept() {
    let report = Judge::scenario(&panics).run();
    assert_eq!(report.code(), Some(101), "{report}");
    fails_with(&report, "exit code 101: it panicked at ");
    fails_with(&report, "on purpose");
}

scenario!(
    fn comes_back() {
        // SAFETY: this process has one thread, so that the child may do what it could.
        let pid = unsafe { libc::fork() };
        if pid > 0 {
            let _ = nix::sys::wait::wait();
            check("parent", true, "the parent goes on");
        }
    }
);

#[test]
fn a_forked_child_that_comes_back_into_the_scenario_is_the_first_thing_said() {
    let report = Judge::scenario(&comes_back).declare(["parent"]).run();
    fails_with(&report, "a forked child came back into the scenario: process ");
}

#[test]
fn an_exit_code_and_a_signal_are_failures() {
    fails_with(&shell("exit 3").run(), "it ended with exit code 3");
    let report = shell("kill -SEGV $$").run();
    assert_eq!(report.signal(), Some(Signal::SIGSEGV as i32), "{report}");
    fails_with(&report, "it was killed by signal 11 SIGSEGV");
}

#[test]
fn output_beyond_the_cap_is_cut_off_and_a_failure() {
    let report = shell("printf 12345678; printf abcdefgh >&2").output_cap(8).run();
    report.assert_clean();
    let report = shell("printf 123456789; printf abcdefgh >&2").output_cap(8).run();
    assert!(report.truncated() && report.code() == Some(0), "{report}");
    assert_eq!((report.stdout(), report.stderr()), ("12345678".to_owned(), "abcdefgh".to_owned()));
    fails_with(&report, "its output is cut off");
}

#[test]
fn a_program_that_is_not_there_is_not_started() {
    let report = Judge::program("/no/such/program").run();
    assert_eq!(report.ending(), Ending::NotStarted, "{report}");
    fails_with(&report, "can't be executed: No such file");
    let report = Judge::program("/bin/true").dir("/no/such/folder").run();
    assert_eq!(report.ending(), Ending::NotStarted, "{report}");
}

#[test]
fn a_program_that_does_not_end_is_ended_at_the_deadline() {
    let report = Judge::program("/bin/sleep").arg("60").deadline(Duration::from_millis(300)).run();
    assert!(report.timed_out(), "{report}");
    assert!(!report.stuck().is_empty(), "{report}");
}

#[test]
fn a_program_that_ends_well_keeps_nobody_waiting() {
    let took = |script: &str| {
        let start = Instant::now();
        shell(script).run();
        start.elapsed()
    };
    // An orphan is given 300 ms to end by itself; who leaves none doesn't wait for that.
    let waits = |_| took("sleep 600 & exit 0").saturating_sub(took("exit 0"));
    let mut waits: Vec<Duration> = (0..5).map(waits).collect();
    waits.sort();
    assert!(waits[2] > Duration::from_millis(150), "{waits:?}");
}

#[test]
fn a_running_program_can_be_talked_to() {
    let mut running = Judge::program("/bin/cat").start();
    running.write_stdin("hello\n");
    assert_eq!(running.read_line().as_deref(), Some("hello"));
    running.finish().assert_clean();
}

#[test]
fn input_is_whole_before_it_is_closed() {
    let mut running = Judge::program("/usr/bin/wc").arg("-c").start();
    running.write_stdin(vec![b'x'; 3 << 20]);
    running.close_stdin();
    assert_eq!(running.read_line().as_deref(), Some("3145728"));
    running.finish().assert_clean();
}

#[test]
fn a_program_begins_with_a_clean_signal_mask() {
    let report = shell("grep SigBlk /proc/self/status").run();
    assert_eq!(report.stdout(), "SigBlk:\t0000000000000000\n");
}

// Who was there.

scenario!(
    fn has_children_and_threads() {
        let mut child = std::process::Command::new("/bin/cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("a child");
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("helper".to_owned()).spawn(move || {
            let _ = tell.send(nix::unistd::gettid().as_raw());
            let _ = ended.recv();
        });
        println!("child {}", child.id());
        println!("thread {}", told.recv().expect("its number"));
        // Until the test has seen enough.
        let _ = std::io::stdin().read_line(&mut String::new());
        drop(end);
        let _ = thread.expect("a thread").join();
        drop(child.stdin.take());
        let _ = child.wait();
        println!("done");
        let _ = std::io::stdin().read_line(&mut String::new());
    }
);

#[test]
fn every_process_and_thread_is_told_with_its_start_and_end() {
    let mut running = Judge::scenario(&has_children_and_threads).start();
    let number =
        |line: String| line.rsplit_once(' ').expect("a number").1.parse::<i32>().expect("a number");
    let child = number(running.wait_for_line(|line| line.starts_with("child ")));
    let thread = number(running.wait_for_line(|line| line.starts_with("thread ")));
    // The supervisor answers between two looks; each answer takes longer than one.
    running.explain();
    assert!(running.tree().contains(&child));
    running.write_stdin("\n");
    running.wait_for_line(|line| line == "done");
    running.explain();
    let report = running.finish();
    report.assert_clean();
    let main = report.pid();
    let seen = |pid: i32| {
        report
            .processes()
            .iter()
            .find(|it| it.pid == pid)
            .unwrap_or_else(|| panic!("{pid}: {report}"))
    };
    assert_eq!((seen(child).parent, seen(child).name.as_str()), (main, "cat"));
    assert_eq!(seen(main).threads, 2, "{report}");
    for seen in [seen(main), seen(child)] {
        assert!(
            seen.end.is_some_and(|end| end > seen.start && end <= report.elapsed() * 2),
            "{seen:?}"
        );
    }
    let helper = report.threads().iter().find(|it| it.thread == thread).expect("the thread");
    assert_eq!((helper.process, helper.name.as_str()), (main, "helper"));
    assert!(helper.end.is_some() && helper.start >= seen(main).start, "{helper:?}");
    assert!(report.threads().iter().any(|it| it.thread == main && it.process == main));
    assert!(seen(main).end >= seen(child).end, "the parent ends last: {report}");
}

// Isolation.

#[test]
fn an_isolated_program_sees_its_own_pids_only() {
    let report = shell("echo $$; ls -d /proc/[0-9]* | wc -l; exit 5").isolate().run();
    assert_eq!(report.code(), Some(5), "{report}");
    if !report.means().iter().any(|it| it == "a /proc of the namespace") {
        eprintln!("NOT TESTED: {}", report.means().join("; "));
        return;
    }
    let lines: Vec<i32> =
        report.stdout().lines().map(|line| line.parse().expect("a number")).collect();
    assert!(lines[0] < 10 && lines[1] < 10, "{report}");
    assert_ne!(report.pid(), lines[0], "outside it has another number");
}

#[test]
fn an_isolated_program_is_the_same_user_and_ends_as_any_other() {
    let user = |report: Report| {
        report.assert_clean();
        report.stdout()
    };
    assert_eq!(user(shell("id -u; id -g").isolate().run()), user(shell("id -u; id -g").run()));
    let report = shell("kill -TERM $$").isolate().run();
    assert_eq!(report.signal(), Some(15), "{report}");
    let mut running = Judge::program("/bin/cat").isolate().start();
    running.write_stdin("hello\n");
    assert_eq!(running.read_line().as_deref(), Some("hello"));
    assert_eq!(running.tree(), [running.pid()]);
    running.signal(Signal::SIGKILL as i32);
    assert_eq!(running.finish().signal(), Some(9));
}

#[test]
fn the_means_say_what_was_in_force() {
    let report = Judge::program("/bin/true").run();
    for means in ["session", "subreaper", "guardian"] {
        assert!(report.means().iter().any(|it| it.starts_with(means)), "{report}");
    }
    // With or without, it is said.
    assert!(report.means().iter().any(|it| it.contains("control group")), "{report}");
    let report = Judge::program("/bin/true").isolate().run();
    assert!(report.means().iter().any(|it| it.contains("pid namespace")), "{report}");
}

scenario!(
    /// As a shell has it that starts a test run in its background.
    fn judges_where_ctrl_c_is_ignored() {
        use nix::sys::signal::{SigHandler, Signal, signal};
        // SAFETY: "ignore" runs no code.
        unsafe { signal(Signal::SIGINT, SigHandler::SigIgn) }.expect("a signal");
        let report = Judge::program("/bin/sh").args(["-c", "kill -INT $$; echo alive"]).run();
        println!("{:?}", report.signal());
    }
);

#[test]
fn ctrl_c_ends_a_program_also_where_the_judge_itself_ignores_it() {
    assert_eq!(Judge::scenario(&judges_where_ctrl_c_is_ignored).run().stdout(), "Some(2)\n");
}
