//! What a run tells of the program.

use std::fs;
use std::io::Write;
use std::os::fd::IntoRawFd;
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

// What is left over.

#[test]
fn an_orphan_is_told_and_ended() {
    let report = shell("sleep 600 & echo $!").run();
    let pid: i32 = report.stdout().trim().parse().expect("a pid");
    assert_eq!(report.left_over().orphans, [format!("process {pid} (sleep), state S")]);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    fails_with(&report, "it left something over: orphans: process ");
}

#[test]
fn a_child_that_ends_with_its_parent_is_no_orphan() {
    // It reads the end of the FIFO when the shell has gone.
    let script = "mkfifo $TMPDIR/f; cat $TMPDIR/f & exec 3> $TMPDIR/f; rm $TMPDIR/f";
    shell(script).run().assert_clean();
}

scenario!(
    fn leaves_a_zombie() {
        #[expect(clippy::zombie_processes, reason = "the zombie is the subject")]
        let child = std::process::Command::new("/bin/true").spawn().expect("a child");
        let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
        let flags = nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT;
        let _ = nix::sys::wait::waitid(nix::sys::wait::Id::Pid(pid), flags);
        println!("{pid}");
    }
);

#[test]
fn a_child_that_nobody_waited_for_is_told() {
    let report = Judge::scenario(&leaves_a_zombie).run();
    assert_eq!(report.left_over().zombies.len(), 1, "{report}");
    assert!(
        report.left_over().zombies[0].starts_with(&format!("process {} (", report.stdout().trim()))
    );
}

#[test]
fn a_program_too_is_seen_not_to_wait_for_its_child() {
    let Some(python) = python() else { return };
    let program = "import os, sys\n\
        pid = os.fork()\n\
        if pid == 0: os._exit(0)\n\
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)\n\
        print(pid, flush=True)\n\
        sys.stdin.read()\n";
    let mut running = Judge::program(python).args(["-c", program]).start();
    let pid = running.read_line().expect("a pid");
    running.explain();
    let report = running.finish();
    assert_eq!(report.left_over().zombies, [format!("process {pid} (python3)")], "{report}");
}

scenario!(
    fn forgets_a_descriptor() {
        let file = fs::File::open("/dev/null").expect("it is there");
        let _ = file.into_raw_fd();
    }
);

#[test]
fn a_descriptor_that_was_not_closed_is_told() {
    let report = Judge::scenario(&forgets_a_descriptor).run();
    assert_eq!(report.left_over().descriptors.len(), 1, "{report}");
    assert!(report.left_over().descriptors[0].ends_with("(/dev/null)"), "{report}");
}

#[test]
fn files_in_the_temporary_directory_are_told_and_removed() {
    let report =
        shell("mkdir -p $TMPDIR/a/b; chmod 0 $TMPDIR/a; echo > $TMPDIR/c; echo $TMPDIR").run();
    let mut files = report.left_over().files.clone();
    files.sort();
    assert_eq!(files, ["a", "c"], "{report}");
    let folder = std::path::PathBuf::from(report.stdout().trim());
    assert!(!folder.exists() && !folder.parent().expect("the run's").exists());
}

/// A name that no other test has.
fn name(of: &str) -> String {
    format!("judge-test-{of}-{}", std::process::id())
}

#[test]
fn a_posix_object_is_told_and_removed() {
    let path = format!("/dev/shm/{}", name("posix"));
    // Held while it is looked for, as its maker holds it.
    let mut running = shell(&format!("exec 3> {path}; echo made; exec cat")).start();
    running.wait_for_line(|line| line == "made");
    running.explain();
    let report = running.finish();
    assert_eq!(report.left_over().ipc, std::slice::from_ref(&path), "{report}");
    assert!(!std::path::Path::new(&path).exists());
}

#[test]
fn a_posix_object_of_somebody_else_is_left_alone() {
    let path = format!("/dev/shm/{}", name("stranger"));
    let mut running = shell("echo begun; exec cat").start();
    running.wait_for_line(|line| line == "begun");
    // Another run, or so it looks from there.
    let beside = Judge::program("/bin/cat").start();
    fs::write(&path, "mine").expect("a file");
    running.explain();
    running.finish().assert_clean();
    fs::remove_file(&path).expect("it is there still");
    beside.finish().assert_clean();
}

#[test]
fn system_v_objects_are_told_and_removed() {
    let Some(perl) = find("perl") else { return };
    let memory = "$id = shmget(0, 4096, 01600); print \"$id\\n\"";
    let report = Judge::program(&perl).args(["-e", memory]).run();
    let id = report.stdout().trim().to_owned();
    assert_eq!(report.left_over().ipc, [format!("System V shm {id}")], "{report}");
    let table = fs::read_to_string("/proc/sysvipc/shm").expect("the kernel has them");
    let there = table.lines().any(|line| line.split_whitespace().nth(1) == Some(&id));
    assert!(!there, "{table}");
}

#[test]
fn in_a_namespace_objects_of_each_kind_are_told() {
    let Some(perl) = find("perl") else { return };
    let probe = Judge::program("/bin/true").isolate().run();
    if !probe.means().iter().any(|it| it.contains("/dev/shm of its own")) {
        eprintln!("NOT TESTED: {}", probe.means().join("; "));
        return;
    }
    let path = format!("/dev/shm/{}", name("namespace"));
    let script = "shmget(0, 4096, 01600); msgget(0, 01600); semget(0, 1, 01600); \
                  open(F, '>', $ARGV[0]);";
    let report = Judge::program(&perl).args(["-e", script, &path]).isolate().run();
    let left = &report.left_over().ipc;
    assert_eq!(left.len(), 4, "{report}");
    for kind in ["System V shm ", "System V msg ", "System V sem ", &path] {
        assert!(left.iter().any(|it| it.starts_with(kind)), "{report}");
    }
    assert!(!std::path::Path::new(&path).exists(), "it was never there outside");
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

fn python() -> Option<std::path::PathBuf> {
    find("python3")
}

fn find(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|it| it.join(name)).find(|it| it.exists());
    if found.is_none() {
        eprintln!("NOT TESTED: there is no {name}");
    }
    found
}
