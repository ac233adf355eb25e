//! The judge is never hung, killed or littered by what it runs.

#![allow(clippy::infinite_loop, reason = "programs that never end are the subject")]

use std::path::Path;
use std::time::{Duration, Instant};

use judge::{Ending, Judge, Limit, Report, scenario};

/// For a program that would never end.
const DEADLINE: Duration = Duration::from_millis(500);
/// For one that ends by itself, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs it, and sees that the verdict is there within a second after the deadline, and that nothing
/// of it is left: neither a process nor a file.
#[track_caller]
fn held(judge: Judge, deadline: Duration) -> Report {
    let judge = judge.deadline(deadline);
    in_time(deadline, || {
        let mark = mark();
        let report = judge.clone().env("HOSTILE", &mark).run();
        assert_eq!(marked(&mark), Vec::<i32>::new(), "processes are left\n{report}");
        let stdout = report.stdout();
        if let Some(folder) = stdout.lines().find_map(|line| line.strip_prefix("TMPDIR=")) {
            assert!(!Path::new(folder).exists(), "{folder} is left\n{report}");
        }
        report
    })
}

/// Does it, and sees that it took a second more than the deadline at the most. A second of a machine
/// that has other things to do is longer; and one that was busy for a moment gets another chance.
#[track_caller]
fn in_time(deadline: Duration, act: impl Fn() -> Report) -> Report {
    let patience = std::env::var("JUDGE_PATIENCE").ok().and_then(|it| it.parse::<f64>().ok());
    let deadline = deadline.mul_f64(patience.unwrap_or(1.0));
    let mut late = Vec::new();
    loop {
        let before = slowness();
        let start = Instant::now();
        let report = act();
        let took = start.elapsed();
        if took < deadline + Duration::from_secs(1).mul_f64(before.max(slowness())) {
            return report;
        }
        late.push(took);
        assert!(late.len() < 3, "{late:?}\n{report}");
    }
}

/// How many processes want each processor now, or wanted it in the last minute.
fn slowness() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").expect("/proc");
    let fields: Vec<&str> = text.split_whitespace().collect();
    let running = fields[3].split('/').next().expect("two numbers");
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let processors = std::thread::available_parallelism().expect("at least one").get() as f64;
    (number(fields[0]).max(number(running)) / processors).max(1.0)
}

/// A script that ends by itself, or else is ended by its own deed.
#[track_caller]
fn shell(script: &str) -> Report {
    held(shell_judge(script), PATIENCE)
}

/// A script that would never end.
#[track_caller]
fn endless(script: &str) -> Report {
    let report = held(shell_judge(script), DEADLINE);
    assert!(report.timed_out(), "{report}");
    report
}

fn shell_judge(script: &str) -> Judge {
    // A line of its own for what is to be gone afterwards.
    Judge::program("/bin/sh").arg("-c").arg(format!("echo TMPDIR=$TMPDIR; {script}"))
}

/// A mark for the environment of a run.
fn mark() -> String {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed))
}

/// The living processes that have that mark.
fn marked(mark: &str) -> Vec<i32> {
    let wanted = format!("HOSTILE={mark}");
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            // That of a zombie is empty.
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|it| it == wanted.as_bytes())
        })
        .collect()
}

#[test]
fn one_that_ignores_sigterm_is_ended() {
    endless("trap '' TERM INT HUP; while :; do sleep 1; done");
}

/// Ends when its child has a session of its own.
const LEAVES: &str = "mkfifo $TMPDIR/f; setsid sh -c 'echo > $TMPDIR/f; exec sleep 600' & \
                      read line < $TMPDIR/f; rm $TMPDIR/f; exit 0";

#[test]
fn one_that_left_the_session_is_ended_and_told() {
    let report = shell(LEAVES);
    assert_eq!(report.code(), Some(0), "{report}");
    assert_eq!(report.left_over().orphans.len(), 1, "{report}");
}

#[test]
fn one_that_forked_twice_is_ended_and_told() {
    let report = shell("(sleep 600 & sleep 601 &); exit 0");
    assert_eq!(report.left_over().orphans.len(), 2, "{report}");
    assert!(report.verdict().unwrap_err().starts_with("it left something over: orphans"));
}

#[test]
fn one_that_stops_itself_is_ended() {
    let report = endless("kill -STOP $$");
    assert!(report.stuck().contains("is stopped by a signal"), "{report}");
}

#[test]
fn one_that_stops_its_parent_gets_its_verdict() {
    endless("kill -STOP $PPID; sleep 600");
    // It is stopped again as often as it is continued: that the verdict comes is certain, and how soon the
    // scheduler's affair.
    let report = shell_judge("while kill -STOP $PPID; do :; done").deadline(DEADLINE).run();
    assert!(report.timed_out(), "{report}");
}

#[test]
fn a_supervisor_that_was_stopped_goes_on_before_any_deadline() {
    let script = "kill -STOP $PPID; echo alive; exec cat";
    let mut running = Judge::program("/bin/sh").args(["-c", script]).start();
    running.wait_for_line(|line| line == "alive");
    running.finish().assert_clean();
}

/// What sh needs to find the process above its parent.
const ABOVE: &str = "above=$(sed -n 's/PPid:[^0-9]*//p' /proc/$PPID/status)";

#[test]
fn one_that_stops_everybody_above_it_gets_its_verdict() {
    endless(&format!("{ABOVE}; kill -STOP $above $PPID; sleep 600"));
}

#[test]
fn one_that_kills_its_parent_ends_with_it() {
    let report = shell("setsid sleep 600 & kill -KILL $PPID; sleep 600");
    assert_eq!(report.ending(), Ending::Unknown, "{report}");
    assert!(report.verdict().unwrap_err().contains("the supervisor was killed"), "{report}");
}

#[test]
fn one_that_kills_its_parents_group_ends_with_it() {
    let report =
        shell("set -- $(cat /proc/$PPID/stat); setsid sleep 600 & kill -KILL -$5; sleep 600");
    assert_eq!(report.ending(), Ending::Unknown, "{report}");
}

#[test]
fn one_that_kills_everybody_above_it_is_found_by_its_mark() {
    let script = format!("{ABOVE}; setsid sleep 600 & kill -KILL $above $PPID; sleep 600");
    assert_eq!(shell(&script).ending(), Ending::Unknown);
}

/// Long enough that both outputs flood on a busy machine too.
const FLOOD: Duration = DEADLINE.saturating_mul(3);

#[test]
fn a_flood_on_both_outputs_is_kept_up_to_the_cap() {
    let report = held(shell_judge("yes & exec yes no >&2").output_cap(8000), FLOOD);
    assert!(report.timed_out() && report.truncated(), "{report}");
    assert_eq!((report.stdout_bytes().len(), report.stderr().len()), (8000, 8000));
}

#[test]
fn a_flood_to_a_test_that_does_not_read_is_kept_up_to_the_cap() {
    let judge = Judge::program("/usr/bin/yes").output_cap(1 << 20).deadline(FLOOD);
    let report = in_time(FLOOD, || {
        let mut running = judge.clone().start();
        assert_eq!(running.read_line().as_deref(), Some("y"));
        running.finish()
    });
    assert!(report.truncated() && report.stdout_bytes().len() == 1 << 20);
}

#[test]
fn pipes_that_a_grandchild_keeps_open_delay_nothing() {
    let report = shell("(sleep 600 &); echo done");
    assert_eq!(report.code(), Some(0), "{report}");
    assert!(report.stdout().ends_with("done\n"), "{report}");
    assert!(report.elapsed() < PATIENCE, "{report}");
}

#[test]
fn a_fork_bomb_is_ended_at_its_limit() {
    let report = held(
        shell_judge("bomb() { bomb | bomb & }; bomb; sleep 600").limit(Limit::Processes(100)),
        DEADLINE * 10,
    );
    too_many(&report);
}

#[test]
fn a_fork_bomb_of_many_sessions_is_ended_at_its_limit() {
    let script = "printf 'setsid sh $0 & setsid sh $0 & sleep 600' > $TMPDIR/bomb; sh $TMPDIR/bomb";
    let report = held(shell_judge(script).limit(Limit::Processes(100)), DEADLINE * 10);
    too_many(&report);
}

/// Where the kernel counts, it ends at its limit. Else its forks may fail before the supervisor has
/// counted, and it ends because of that, or at its deadline.
#[track_caller]
fn too_many(report: &Report) {
    if report.means().iter().any(|it| it.starts_with("control group: the kernel refuses")) {
        assert_eq!(report.ending(), Ending::TooManyProcesses, "{report}");
    }
}

scenario!(
    fn eats_memory() {
        let mut eaten: Vec<Vec<u8>> = Vec::new();
        loop {
            eaten.push(vec![0; 1 << 20]);
        }
    }
);

#[test]
fn one_that_eats_memory_ends_at_its_limit() {
    let report = held(
        Judge::scenario(&eats_memory)
            .env("RUST_BACKTRACE", "0")
            .limit(Limit::AddressSpace(256 << 20)),
        PATIENCE,
    );
    assert_eq!(report.signal(), Some(nix::sys::signal::Signal::SIGABRT as i32), "{report}");
}

#[test]
fn input_that_nobody_reads_delays_nothing() {
    let judge = Judge::program("/bin/sleep").arg("600").deadline(DEADLINE);
    let report = in_time(DEADLINE, || {
        let mut running = judge.clone().start();
        running.write_stdin(vec![0; 8 << 20]);
        running.write_stdin("more");
        running.finish()
    });
    assert!(report.timed_out(), "{report}");
}

#[test]
fn input_to_one_that_has_closed_it_harms_nobody() {
    let script = "exec <&-; echo closed; sleep 0.1; echo done";
    let mut running = Judge::program("/bin/sh").args(["-c", script]).start();
    running.wait_for_line(|line| line == "closed");
    running.write_stdin("nobody reads this");
    running.wait_for_line(|line| line == "done");
    running.finish().assert_clean();
}

scenario!(
    fn is_a_test() {
        let running = Judge::program("/bin/sleep").arg("600").start();
        println!("{}", running.pid());
        nix::unistd::pause();
    }
);

#[test]
fn a_killed_test_takes_its_program_with_it() {
    let mut test = Judge::scenario(&is_a_test).start();
    let _ = test.read_line().expect("the pid of its program");
    test.signal(nix::sys::signal::Signal::SIGKILL as i32);
    let report = test.finish();
    assert_eq!(report.signal(), Some(9), "{report}");
    report.assert_nothing_left();
}

/// Runs it in a namespace; `None`, and says so, where there are none.
#[track_caller]
fn isolated(judge: Judge) -> Option<Report> {
    let report = held(judge.isolate(), DEADLINE * 10);
    let is = report.means().iter().any(|it| it.starts_with("pid namespace"));
    if !is {
        eprintln!("NOT TESTED in a namespace: {}", report.means().join("; "));
    }
    is.then_some(report)
}

#[test]
fn in_a_namespace_nobody_above_can_be_killed_or_stopped() {
    let script = "kill -KILL $PPID; kill -STOP $PPID; kill -KILL 1; echo alive; exit 7";
    let Some(report) = isolated(shell_judge(script)) else { return };
    assert!(report.stdout().ends_with("alive\n"), "{report}");
    assert_eq!(report.code(), Some(7), "{report}");
}

#[test]
fn in_a_namespace_even_a_signal_to_everybody_harms_nobody() {
    // Outside this would end all that the user has: the test, its harness, the session.
    let probe = Judge::program("/bin/true").isolate().run();
    if !probe.means().iter().any(|it| it.starts_with("pid namespace")) {
        eprintln!("NOT TESTED: {}", probe.means().join("; "));
        return;
    }
    let script = "[ $$ -lt 10 ] || exit 9; sleep 600 & kill -KILL -1; wait; echo alive";
    let report = isolated(shell_judge(script)).expect("it was there a moment ago");
    assert!(report.stdout().ends_with("alive\n"), "{report}");
    assert_eq!(report.code(), Some(0), "{report}");
}

#[test]
fn in_a_namespace_a_fork_bomb_ends_at_its_limit() {
    let bomb =
        shell_judge("bomb() { bomb | bomb & }; bomb; sleep 600").limit(Limit::Processes(100));
    let Some(report) = isolated(bomb) else { return };
    too_many(&report);
}

#[test]
fn in_a_namespace_orphans_are_ended_and_told() {
    let Some(report) = isolated(shell_judge(LEAVES)) else {
        return;
    };
    assert_eq!(report.left_over().orphans.len(), 1, "{report}");
}

#[test]
fn a_confined_program_writes_nothing_and_reaches_nobody() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("not-to-be-written");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("kept"), "as it was").expect("a file");
    let script = "cd \"$0\"; touch new; echo else > kept; rm -rf kept; touch /dev/shm/mine $TMPDIR/mine; \
                  grep -c : /proc/net/dev; grep -c lo: /proc/net/dev";
    let judge = Judge::program("/bin/sh").args(["-c", script]).arg(&folder).confine();
    let Some(report) = isolated(judge) else { return };
    let names: Vec<_> = std::fs::read_dir(&folder).expect("a folder").flatten().collect();
    assert_eq!(names.len(), 1, "{names:?}: {report}");
    let kept = std::fs::read_to_string(folder.join("kept")).expect("a file");
    assert_eq!(kept, "as it was", "{report}");
    assert_eq!(report.stdout(), "1\n1\n", "only the loopback: {report}");
    assert_eq!(report.left_over().files, ["mine"], "its own folder is its own: {report}");
    for means in ["network namespace", "files: none can be written"] {
        assert!(report.means().iter().any(|it| it.starts_with(means)), "{means}: {report}");
    }
}
