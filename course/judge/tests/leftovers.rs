//! What a program leaves over is told, and is ended or removed.

use std::fs;
use std::os::fd::IntoRawFd;

use judge::{Judge, Report, scenario};

fn shell(script: &str) -> Judge {
    Judge::program("/bin/sh").args(["-c", script])
}

#[track_caller]
fn fails_with(report: &Report, reason: &str) {
    let verdict = report.verdict().expect_err("it is no pass");
    assert!(verdict.contains(reason), "wanted {reason:?}\n{verdict}\n{report}");
}

#[test]
fn an_orphan_is_told_and_ended() {
    let report = shell("sleep 600 & echo $!").run();
    let pid: i32 = report.stdout().trim().parse().expect("a pid");
    assert_eq!(report.left_over().orphans, [format!("process {pid} (sleep), state S")]);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    fails_with(&report, "it left something over: orphans: process ");
}

/// The grace is for one that is about to end, and not for one that will some day.
#[test]
fn an_orphan_that_rests_is_told_though_it_would_end_by_itself() {
    let report = shell("sleep 2 & echo $!").run();
    let pid = report.stdout().trim().to_owned();
    assert_eq!(report.left_over().orphans, [format!("process {pid} (sleep), state S")]);
}

#[test]
fn an_orphan_that_never_rests_is_told_too() {
    let report = shell("while :; do :; done & echo $!").run();
    let pid = report.stdout().trim().to_owned();
    assert_eq!(report.left_over().orphans, [format!("process {pid} (sh), state R")]);
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
