//! `distributed wc` beside GNU `wc` in the C locale, with workers that are killed, and none.

mod support;

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use distributed::{CallError, Manager, RemoteTasks, TaskQueue};
use judge::{Judge, Report, Running};
use support::{PROGRAM, Scratch, key, serve};

/// `None`, and said so, without GNU `wc`.
fn gnu<P: AsRef<OsStr>>(files: &[P]) -> Option<Output> {
    let output = Command::new("wc").env("LC_ALL", "C").arg("--version").output().ok();
    if !output.is_some_and(|it| it.stdout.starts_with(b"wc (GNU coreutils)")) {
        eprintln!("SKIPPED: no GNU wc is here, and that we agree with it is not tested");
        return None;
    }
    Some(Command::new("wc").env("LC_ALL", "C").args(files).output().expect("it was there just now"))
}

fn write(folder: &Scratch, name: impl AsRef<OsStr>, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.0.join(name.as_ref());
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, bytes).expect("a file");
    path
}

fn wc<P: AsRef<OsStr>>(paths: impl IntoIterator<Item = P>) -> Judge {
    Judge::program(PROGRAM).arg("wc").args(paths)
}

/// With a crew that is there.
fn wc_at(server: SocketAddr, path: impl AsRef<OsStr>) -> Judge {
    wc([OsStr::new("--connect"), OsStr::new(&server.to_string()), path.as_ref()])
        .env("AUTHKEY", "abc")
}

fn worker(server: SocketAddr) -> Running {
    let worker =
        Judge::program(PROGRAM).args(["worker", "--stay", "--connect", &server.to_string()]);
    worker.env("AUTHKEY", "abc").start()
}

#[track_caller]
fn assert_agree(report: &Report, gnu: &Output) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(report.stdout(), text(&gnu.stdout));
    assert!(report.stdout_bytes() == gnu.stdout, "{report}");
    assert_eq!(report.stderr(), text(&gnu.stderr));
    assert_eq!(report.code(), gnu.status.code());
    report.assert_nothing_left();
}

#[test]
fn it_prints_what_wc_prints_for_all_files_below_a_path() {
    let folder = Scratch::new("wc-tree");
    let mut files = vec![
        write(&folder, "empty", ""),
        write(&folder, "no end", "no end"),
        write(&folder, "blanks", " \t\n\x0b\x0c\r  \n"),
        write(&folder, "a/b/c/deep", "far\nbelow\n"),
        write(&folder, "a-b", "sorts before what is in a\n"),
        write(&folder, "two\nlines", "in a name\n"),
        write(&folder, "it's \"quoted\"", "x\n"),
        write(&folder, OsStr::from_bytes(b"no text: \xff\xfe"), "a name that is no text\n"),
        // Letters beside what the C locale can't print: without them it depends on the version of wc.
        write(&folder, "utf-8", "d\u{e9}j\u{e0} vu\u{2003}\u{1f600}\n"),
        write(&folder, "no utf-8", b"one\xff \xfetwo\x80\xc3\n"),
        // Over several tasks, with words across the cuts, and one that is longer than a task.
        write(&folder, "large", "seven77 ".repeat(400_000)),
        write(&folder, "long", ["x".repeat(3 << 20), " ".repeat(1 << 20), "x".repeat(9)].concat()),
    ];
    files.extend((0..100).map(|number| write(&folder, format!("small/{number}"), "a b\nc")));
    files.sort_by_key(|path| path.as_os_str().as_bytes().to_owned());
    let report = wc([&folder.0]).run();
    report.assert_clean();
    if let Some(gnu) = gnu(&files) {
        assert_agree(&report, &gnu);
    }
}

#[test]
fn what_can_not_be_read_is_told_as_wc_tells_it_and_the_rest_is_counted() {
    let folder = Scratch::new("wc-unreadable");
    let good = write(&folder, "good", "good\n");
    // There, but to open it or to read it is an error. Whose memory it is, the workers' or the master's?
    let files = [Path::new("nowhere"), &good, Path::new("/proc/self/mem"), &good];
    let report = wc(files).run();
    assert_eq!(report.code(), Some(1), "{report}");
    if let Some(gnu) = gnu(&files) {
        assert_agree(&report, &gnu);
    }
    // Read where it is asked for: a worker has another standard input.
    let report = wc(["/dev/stdin"]).stdin("one two\n").run();
    report.assert_clean();
    assert_eq!(report.stdout(), "1 2 8 /dev/stdin\n");
}

/// A mebibyte: one task.
fn task() -> Vec<u8> {
    b"a line of 16 ch\n".repeat(1 << 16)
}

fn lines_of(tasks: usize) -> String {
    let (lines, words, bytes) = (tasks << 16, 5 * (tasks << 16), tasks << 20);
    format!("{lines:7} {words:7} {bytes:7} /dev/stdin\n")
}

#[test]
fn a_worker_that_is_killed_in_the_middle_costs_nothing_but_time() {
    let (_serving, server) = serve("127.0.0.1:0");
    let mut first = worker(server);
    let mut counting = wc_at(server, "/dev/stdin").start();
    counting.write_stdin(task().repeat(3));
    // At work, and there is more to come.
    first.wait_for_line(|line| line == "run task wc of 1048576 bytes...");
    first.signal(9);
    assert_eq!(first.finish().signal(), Some(9));
    counting.write_stdin(task());
    counting.close_stdin();
    // The tutorial's own workers are not given such tasks: they would not know what to do with them.
    let manager = Manager::connect(server, &key()).expect("it is there");
    let mut tutorial = manager.queue("get_task_queue").expect("it is registered");
    assert!(matches!(tutorial.get_timeout::<i64>(Duration::ZERO), Err(CallError::Empty)));
    let mut second = worker(server);
    second.wait_for_line(|line| line == "run task wc of 1048576 bytes...");
    let report = counting.finish();
    report.assert_clean();
    assert_eq!(report.stdout(), lines_of(4));
}

#[test]
fn a_server_that_is_started_anew_is_told_again_what_to_do() {
    let (mut serving, server) = serve("127.0.0.1:0");
    let mut busy = worker(server);
    let mut counting = wc_at(server, "/dev/stdin").start();
    counting.write_stdin(task().repeat(3));
    busy.wait_for_line(|line| line == "run task wc of 1048576 bytes...");
    serving.signal(9);
    assert_eq!(serving.finish().signal(), Some(9));
    let (_serving, _) = serve(&server.to_string());
    counting.write_stdin(task());
    counting.close_stdin();
    let report = counting.finish();
    report.assert_clean();
    assert_eq!(report.stdout(), lines_of(4));
}

#[test]
fn a_task_that_no_worker_can_do_is_done_by_the_master() {
    let (_serving, server) = serve("127.0.0.1:0");
    let manager = Manager::connect(server, &key()).expect("it is there");
    let mut unfit =
        RemoteTasks::open(&manager, "get_task_queue", Duration::ZERO).expect("it is registered");
    let mut counting = wc_at(server, "/dev/stdin").start();
    counting.write_stdin(task());
    counting.close_stdin();
    for attempt in 1..=5 {
        let leases = unfit.take(1, Duration::from_secs(10)).expect("it answers");
        assert_eq!(leases[0].attempt, attempt);
        unfit.fail(&leases[0].fence(), "no idea", Duration::ZERO).expect("it answers");
    }
    let report = counting.finish();
    report.assert_clean();
    assert_eq!(report.stdout(), lines_of(1));
}

#[test]
fn without_a_worker_left_its_own_crew_is_an_error_and_no_hang() {
    let mut counting = wc(["/dev/stdin"]).start();
    counting.write_stdin(task());
    let program = |pid: i32| std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let is_worker =
        |pid: &i32| program(*pid).split(|byte| *byte == 0).any(|word| word == b"worker");
    let mut workers = Vec::new();
    while workers.len() < 2 {
        workers = counting.tree().into_iter().filter(is_worker).collect();
    }
    let pid = |pid: i32| nix::unistd::Pid::from_raw(pid);
    for worker in workers {
        nix::sys::signal::kill(pid(worker), nix::sys::signal::SIGKILL).expect("it is there");
    }
    counting.write_stdin(task());
    counting.close_stdin();
    let report = counting.finish();
    assert_eq!(report.code(), Some(1), "{report}");
    assert!(report.stderr().contains("the workers have ended"), "{report}");
    report.assert_nothing_left();
}

#[test]
fn on_a_terminal_it_shows_how_much_is_done_and_takes_that_away() {
    let folder = Scratch::new("wc-bar");
    let file = write(&folder, "large", "ab cd\n".repeat(1_500_000));
    let report = wc([&file]).terminal(true).run();
    report.assert_clean();
    let text = report.stdout();
    assert!(text.contains("of 9 MiB"), "{text:?}");
    let last = text.rsplit('\r').find(|part| !part.trim().is_empty()).expect("a line");
    assert_eq!(last.trim_end(), format!("1500000 3000000 9000000 {}", file.display()));
}
