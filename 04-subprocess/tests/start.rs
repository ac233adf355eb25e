//! Promises of the start: what it says when it fails, and what the program has when it begins.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use judge::{Judge, check, scenario};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use subprocess::{Command, DEVNULL, Error, Failed, Group, PIPE, STDOUT};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("proc is mounted").count() - 1
}

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(name)
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// Commands that can't start, and what they fail at.
fn failures(folder: &Path) -> Vec<(Command, Failed)> {
    let program = |path: &Path| Failed::Program(path.to_owned());
    let file = folder.join("file");
    let interpreted = folder.join("interpreted");
    let nul = OsStr::from_bytes(b"a\0b");
    let true_ = || Command::new(["true"]);
    vec![
        (Command::new(["no-such-program"]), program(Path::new("no-such-program"))),
        (Command::new(["/no/such/program"]), program(Path::new("/no/such/program"))),
        (Command::new([""]), program(Path::new(""))),
        (Command::new([&file]), program(&file)),
        (Command::new([&interpreted]), program(&interpreted)),
        (Command::new([folder]), program(folder)),
        (true_().cwd("/no/such/folder"), Failed::Directory("/no/such/folder".into())),
        (true_().cwd(&file), Failed::Directory(file.clone())),
        (true_().cwd(nul), Failed::Directory(nul.into())),
        (true_().arg(nul), Failed::Arguments),
        (Command::new::<&str>([]), Failed::Arguments),
        (true_().arg("x".repeat(8 << 20)), Failed::Arguments),
        (true_().env("A=B", "c"), Failed::Environment("A=B".into())),
        (true_().env("", "c"), Failed::Environment("".into())),
        (true_().env(nul, "c"), Failed::Environment(nul.into())),
        (true_().env("NAME", nul), Failed::Environment("NAME".into())),
        (true_().process_group(Group::Of(i32::MAX)), Failed::Process),
        (true_().pass_fd(File::open("/dev/null").expect("null"), -1), Failed::Descriptors),
        (true_().pass_fd(File::open("/dev/null").expect("null"), i32::MAX), Failed::Descriptors),
    ]
}

fn folder_of_failures() -> std::io::Result<PathBuf> {
    let folder = folder("failures");
    fs::create_dir(&folder)?;
    fs::write(folder.join("file"), "true\n")?;
    let script = folder.join("interpreted");
    fs::write(&script, "#!/no/such/interpreter\n")?;
    fs::set_permissions(script, fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

scenario!(
    fn fails_to_start() -> Outcome {
        let folder = folder_of_failures()?;
        for (command, failed) in failures(&folder) {
            let Err(error) = command.capture_output().popen() else {
                check("fails", false, &format!("{failed:?} is not to start"));
                continue;
            };
            check("named", *error.failed() == failed, &format!("{failed:?}: {error}"));
            let is_missing = matches!(&failed, Failed::Program(path) if !path.exists());
            check("missing", error.is_not_found() == is_missing, &error.to_string());
        }
        let Err(error) = Command::new([folder.join("interpreted")]).popen() else { return Ok(()) };
        check("interpreter", error.to_string().contains("`#!`"), &error.to_string());
        fs::remove_dir_all(folder)?;
        Ok(())
    }
);

#[test]
fn a_failed_start_says_what_failed() {
    let checks = ["named", "missing", "interpreter"];
    Judge::scenario(&fails_to_start).declare(checks).run().assert_clean();
}

scenario!(
    fn fails_a_thousand_times() -> Outcome {
        let folder = folder_of_failures()?;
        let before = open_descriptors();
        let mut failed = 0;
        while failed < 1000 {
            for (command, what) in failures(&folder) {
                // Eight megabytes are slow.
                if failed > 20 && what == Failed::Arguments {
                    continue;
                }
                failed += usize::from(command.stdin(PIPE).capture_output().popen().is_err());
            }
        }
        check("none", open_descriptors() == before, "as many are open as before");
        fs::remove_dir_all(folder)?;
        Ok(())
    }
);

#[test]
fn a_thousand_failed_starts_leak_no_descriptor() {
    Judge::scenario(&fails_a_thousand_times).declare(["none"]).run().assert_clean();
}

scenario!(
    fn has_few_descriptors_left() -> Outcome {
        let before = open_descriptors();
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        let (mut worked, mut said) = (0, 0);
        for left in 0..12 {
            setrlimit(Resource::RLIMIT_NOFILE, before as u64 + left, hard)?;
            let result = Command::new(["cat"]).input("through").capture_output().run();
            setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
            match result {
                Ok(done) => worked += usize::from(done.stdout == b"through"),
                Err(error) => {
                    said += usize::from(error.to_string().contains("RLIMIT_NOFILE"));
                }
            }
            check("leak", open_descriptors() == before, "none is left open");
        }
        check("either", worked + said == 12, &format!("{worked} worked, {said} said why not"));
        check("both", worked > 0 && said > 0, "both were seen");
        Ok(())
    }
);

#[test]
fn a_start_near_the_limit_of_descriptors_works_or_says_so() {
    Judge::scenario(&has_few_descriptors_left)
        .declare(["leak", "either", "both"])
        .run()
        .assert_clean();
}

/// What a program that lists its own descriptors finds, without the one for the listing.
fn seen_by(command: impl FnOnce(Command) -> Command) -> Result<Vec<RawFd>, Error> {
    // The shell itself has the three and opens none; its arithmetic costs no further process.
    let list = "for fd in /proc/$$/fd/*; do echo ${fd##*/}; done";
    let output = command(Command::shell(list)).check_output()?;
    let mut seen: Vec<RawFd> = text(&output).lines().filter_map(|it| it.parse().ok()).collect();
    seen.sort_unstable();
    Ok(seen)
}

/// A descriptor that an exec would keep, as other libraries open them.
fn inheritable() -> std::io::Result<File> {
    let file = File::open("/dev/null")?;
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(file)
}

scenario!(
    fn inherits() -> Outcome {
        // The shell opens the folder under a number of its own, 3 or above, while it looks.
        let listing = |seen: &[RawFd]| seen.iter().filter(|&&fd| fd > 2).count();
        let files = [inheritable()?, inheritable()?, inheritable()?];
        let plain = seen_by(|command| command)?;
        check("none", listing(&plain) <= 1, &format!("nothing from 3 on: {plain:?}"));
        let all = seen_by(|command| command.close_fds(false))?;
        let kept = files.iter().all(|file| all.contains(&file.as_raw_fd()));
        check("asked", kept, &format!("asked to, what is not close-on-exec: {all:?}"));
        let [first, second, third] = files;
        let (passed, other) = (second.as_raw_fd(), [first.as_raw_fd(), third.as_raw_fd()]);
        let some = seen_by(|command| command.pass_fds([second]))?;
        let right = some.contains(&passed) && listing(&some) <= 2;
        check("passed", right, &format!("{passed} was passed, {other:?} were not: {some:?}"));
        Ok(())
    }
);

#[test]
fn a_program_has_its_standard_descriptors_and_what_was_passed_and_no_others() {
    Judge::scenario(&inherits).declare(["none", "asked", "passed"]).run().assert_clean();
}

scenario!(
    fn inherits_while_others_open() -> Outcome {
        let stop = &AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Relaxed) {
                        drop([inheritable(), inheritable()]);
                    }
                });
            }
            let mut most = 0;
            for _ in 0..100 {
                most = most.max(seen_by(|command| command)?.len());
            }
            stop.store(true, Relaxed);
            check("alone", most <= 4, &format!("no program had more than {most}"));
            Ok(())
        })
    }
);

#[test]
fn no_program_inherits_what_another_thread_opens_meanwhile() {
    Judge::scenario(&inherits_while_others_open).declare(["alone"]).run().assert_clean();
}

scenario!(
    fn swaps() -> Outcome {
        let paths = ["one", "two"].map(folder);
        for path in &paths {
            fs::write(path, path.file_name().unwrap_or_default().as_bytes())?;
        }
        let [one, two] = [File::open(&paths[0])?, File::open(&paths[1])?];
        let numbers = [one.as_raw_fd(), two.as_raw_fd()];
        let cat = |number: RawFd| format!("/proc/self/fd/{number}");
        let command = Command::new(["cat".to_owned(), cat(numbers[0]), cat(numbers[1]), cat(9)]);
        let nine = one.try_clone()?;
        let swapped = command.pass_fd(one, numbers[1]).pass_fd(two, numbers[0]).pass_fd(nine, 9);
        let output = text(&swapped.check_output()?);
        check("swapped", output == "twoonetwo" || output == "twooneone", &output);
        check("number", output == "twooneone", "and one has a number that it did not have here");
        paths.iter().try_for_each(fs::remove_file)?;
        Ok(())
    }
);

#[test]
fn descriptors_are_passed_under_any_numbers_also_swapped() {
    Judge::scenario(&swaps).declare(["swapped", "number"]).run().assert_clean();
}

scenario!(
    fn has_closed_some() -> Outcome {
        // The pipes get the numbers of what is closed, and stand in each other's way.
        let closed = std::env::var("CLOSED")?;
        for number in closed.bytes().map(|digit| i32::from(digit - b'0')) {
            nix::unistd::close(number)?;
        }
        let command = Command::shell("cat; echo err >&2").input("in ").capture_output();
        let done = command.run()?;
        let right = done.stdout == b"in " && done.stderr == b"err\n";
        check("piped", right, &format!("{done:?}"));
        let command = Command::shell("cat; echo err >&2").input("in ").stdout(PIPE).stderr(STDOUT);
        check("merged", command.run()?.stdout == b"in err\n", "both in one");
        let command = Command::shell("cat; echo err >&2").stdin(DEVNULL).stderr(PIPE);
        check("null", command.stdout(DEVNULL).run()?.stderr == b"err\n", "with /dev/null");
        Ok(())
    }
);

#[test]
fn programs_start_and_talk_while_stdin_stdout_or_stderr_is_closed_here() {
    for closed in ["0", "1", "2", "01", "02", "12", "012"] {
        let judge = Judge::scenario(&has_closed_some).env("CLOSED", closed);
        judge.declare(["piped", "merged", "null"]).run().assert_clean();
    }
}

/// Process group, session and terminal of the program, which is a shell with no child.
fn place(command: impl FnOnce(Command) -> Command) -> Result<[i32; 3], Error> {
    let line = "read -r pid name state parent group session rest < /proc/$$/stat; \
                echo $pid $group $session";
    let output = text(&command(Command::shell(line)).check_output()?);
    let mut numbers = output.split_whitespace().map(|number| number.parse().unwrap_or(0));
    Ok([(); 3].map(|()| numbers.next().unwrap_or(0)))
}

scenario!(
    fn groups() -> Outcome {
        let ours = nix::unistd::getpgrp().as_raw();
        let session = nix::unistd::getsid(None)?.as_raw();
        let [_, group, its] = place(|command| command)?;
        check("inherited", (group, its) == (ours, session), "nothing said: ours");
        let [pid, group, its] = place(|command| command.process_group(Group::Own))?;
        check("own", (group, its) == (pid, session), "a group of its own, in our session");
        let [pid, group, its] = place(Command::new_session)?;
        check("session", (group, its) == (pid, pid), "a session of its own");
        let leader = Command::new(["sleep", "60"]).process_group(Group::Own).popen()?;
        let [_, group, _] = place(|command| command.process_group(Group::Of(leader.pid())))?;
        check("joined", group == leader.pid(), "the group of another one");
        leader.kill()?;
        leader.wait()?;
        let [pid, group, _] = place(|command| command.timeout(std::time::Duration::from_secs(60)))?;
        check("timeout", group == pid, "with a timeout, one of its own");
        Ok(())
    }
);

#[test]
fn a_programs_group_and_session_are_what_was_asked_for() {
    let checks = ["inherited", "own", "session", "joined", "timeout"];
    Judge::scenario(&groups).declare(checks).run().assert_clean();
}

/// The signals that a program has blocked and ignored, as /proc shows them.
fn signals(command: impl FnOnce(Command) -> Command) -> Result<[u64; 2], Error> {
    let output = text(&command(Command::new(["cat", "/proc/self/status"])).check_output()?);
    Ok(["SigBlk:", "SigIgn:"].map(|name| {
        let line = output.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        u64::from_str_radix(line.trim(), 16).unwrap_or(u64::MAX)
    }))
}

scenario!(
    fn restores_signals() -> Outcome {
        let bit = |signal: Signal| 1 << (signal as i32 - 1);
        let blocked: SigSet = [Signal::SIGTERM, Signal::SIGUSR1].into_iter().collect();
        blocked.thread_block()?;
        let [mask, ignored] = signals(|command| command)?;
        check("mask", mask == 0, "none is blocked");
        check("pipe", ignored & bit(Signal::SIGPIPE) == 0, "SIGPIPE, ignored here, is not ignored");
        let [mask, ignored] = signals(|command| command.restore_signals(false))?;
        let ours = bit(Signal::SIGTERM) | bit(Signal::SIGUSR1);
        check("kept", mask == ours && ignored & bit(Signal::SIGPIPE) != 0, "asked to, as here");
        Ok(())
    }
);

#[test]
fn a_program_starts_with_an_empty_signal_mask_and_sigpipe_restored() {
    Judge::scenario(&restores_signals).declare(["mask", "pipe", "kept"]).run().assert_clean();
}

#[test]
fn words_of_an_error_are_quoted_where_they_need_it() {
    let words: [OsString; 3] = ["no-such-program".into(), "two words".into(), "".into()];
    let error = Command::new(words).popen().expect_err("there is no such program");
    assert!(error.to_string().starts_with(r#"can't start `no-such-program "two words" ""`: "#));
}
