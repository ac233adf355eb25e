//! Promises of `communicate`: both directions at once, what it waits for, and how it goes on.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use judge::{Judge, check, scenario};
use nix::sys::stat::Mode;
use nix::unistd::{Uid, mkfifo, setuid};
use subprocess::{Command, Error, GRACE, PIPE, Signal};

const MUCH: usize = 8 << 20;

/// Bytes that are not all the same: one lost or moved is seen.
fn much() -> Vec<u8> {
    (0..MUCH as u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Ends who was left, and waits until it has ended.
fn end(pid: &[u8]) {
    let pid = String::from_utf8_lossy(pid).trim().parse().expect("a number");
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
    while lives(pid) {
        thread::yield_now();
    }
}

fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, after)| after.chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

scenario!(
    fn sends_and_collects_much() -> Result<(), Error> {
        let input = much();
        // What it reads it writes to both, and waits for whoever does not read.
        let tee = Command::new(["tee", "/dev/stderr"]).stdin(PIPE).capture_output();
        let done = tee.popen()?.communicate(&input)?;
        check("stdout", done.stdout == input, "all came back on one");
        check("stderr", done.stderr == input, "and on the other");
        check("status", done.status.success() && !done.held_open, "and it ended well");
        Ok(())
    }
);

#[test]
fn input_and_output_larger_than_the_pipes_never_deadlock() {
    let checks = ["stdout", "stderr", "status"];
    Judge::scenario(&sends_and_collects_much).declare(checks).run().assert_clean();
}

scenario!(
    fn reads_little() -> Result<(), Error> {
        let input = much();
        let closed = Command::shell("exec <&-; echo closed");
        let done = closed.stdin(PIPE).stdout(PIPE).popen()?.communicate(&input)?;
        check("closes", done.status.success() && done.stdout == b"closed\n", "closed at once");
        let head = Command::new(["head", "-c", "3"]).stdin(PIPE).stdout(PIPE);
        let done = head.popen()?.communicate(&input)?;
        check("head", done.status.success() && done.stdout == input[..3], "closed after three");
        let ends = Command::new(["true"]).stdin(PIPE).popen()?.communicate(&input)?;
        check("ends", ends.status.success(), "ended without reading");
        Ok(())
    }
);

#[test]
fn a_program_that_does_not_read_all_of_its_input_is_no_error() {
    let checks = ["closes", "head", "ends"];
    Judge::scenario(&reads_little).declare(checks).run().assert_clean();
}

scenario!(
    fn leaves_a_grandchild() -> Result<(), Error> {
        // It has all three pipes, and lives for a minute.
        let holder = "sleep 60 & echo $!; head -c 3000000 /dev/zero | tr '\\0' x >&2";
        for (name, grace) in [("short", Duration::from_millis(200)), ("default", GRACE)] {
            let mut command = Command::shell(holder).stdin(PIPE).capture_output();
            if name == "short" {
                command = command.grace(grace);
            }
            let start = Instant::now();
            let done = command.popen()?.communicate(&much())?;
            let took = start.elapsed();
            check(
                name,
                grace <= took && took < grace + Duration::from_secs(8),
                "its grace, no more",
            );
            check("told", done.held_open, "it is told that somebody held them");
            check("whole", done.stderr.len() == 3_000_000, "all of the program's own is there");
            end(&done.stdout);
        }
        let patient = Command::shell("sh -c 'sleep 0.3; echo late' & echo early").stdout(PIPE);
        let done = patient.grace(Duration::MAX).popen()?.communicate(&[])?;
        let whole = done.stdout == b"early\nlate\n" && !done.held_open;
        check("patient", whole, "asked to, it waits until they close them");
        let zero = Command::shell("sleep 60 & echo $!; exit 3").stdout(PIPE);
        let done = zero.grace(Duration::ZERO).popen()?.communicate(&[])?;
        check("zero", done.returncode() == 3, "without a grace it does not wait at all");
        end(&done.stdout);
        Ok(())
    }
);

#[test]
fn a_grandchild_that_holds_the_pipes_open_is_waited_for_no_longer_than_its_grace() {
    let checks = ["short", "default", "told", "whole", "patient", "zero"];
    Judge::scenario(&leaves_a_grandchild).declare(checks).run().assert_clean();
}

scenario!(
    fn leaves_a_flood() -> Result<(), Error> {
        let command = Command::shell("yes & echo $! >&2").capture_output();
        let done = command.grace(Duration::from_millis(50)).popen()?.communicate(&[])?;
        check("ends", done.held_open, "it does not read for ever what never ends");
        end(&done.stderr);
        Ok(())
    }
);

#[test]
fn a_grandchild_that_floods_the_pipe_does_not_hold_communicate() {
    Judge::scenario(&leaves_a_flood).declare(["ends"]).run().assert_clean();
}

scenario!(
    fn is_taken_up_again() -> Result<(), Box<dyn std::error::Error>> {
        let input = much();
        let gate = std::env::temp_dir().join("gate");
        mkfifo(&gate, Mode::S_IRWXU)?;
        // It reads nothing before the gate opens, so most of the input is still ours at a timeout.
        let command = Command::shell("echo early; read go < \"$1\"; cat; echo late").arg(&gate);
        let popen = command.stdin(PIPE).stdout(PIPE).popen()?;
        let mut sent = &input[..];
        let mut rounds = 0;
        let partial = loop {
            match popen.communicate_timeout(sent, Duration::from_millis(20)) {
                Err(Error::Timeout(expired)) if rounds < 3 || expired.stdout.is_empty() => {}
                Err(Error::Timeout(expired)) => break expired,
                other => return Err(format!("it can't have ended: {other:?}").into()),
            }
            sent = &[];
            rounds += 1;
        };
        check("partial", partial.stdout == b"early\n", "the error carries what there was");
        check("runs", partial.status.is_none() && popen.poll()?.is_none(), "and it runs on");
        let more = popen.communicate(b"more");
        check("more", matches!(more, Err(Error::SecondInput)), "more input is refused");
        fs::write(&gate, "go\n")?;
        let done = popen.communicate(&[])?;
        let expected = [b"early\n", &input[..], b"late\n"].concat();
        check("whole", done.stdout == expected, "nothing was lost, or came twice");
        let again = popen.communicate(&[])?;
        check("after", again.stdout.is_empty() && again.status.success(), "once only");
        fs::remove_file(gate)?;
        Ok(())
    }
);

#[test]
fn communicate_again_after_a_timeout_goes_on_with_nothing_lost() {
    let checks = ["partial", "runs", "more", "whole", "after"];
    Judge::scenario(&is_taken_up_again).declare(checks).run().assert_clean();
}

scenario!(
    fn is_interrupted() -> Result<(), Error> {
        let input = much();
        let stop = &AtomicBool::new(false);
        thread::scope(|scope| {
            // The C library changes the user in all threads, with a signal to each: a poll that waits
            // is interrupted, though nothing changes.
            scope.spawn(|| {
                while !stop.load(Relaxed) {
                    setuid(Uid::current()).expect("it is this user");
                    thread::yield_now();
                }
            });
            let slow = Command::shell("sleep 0.2; cat; sleep 0.2").stdin(PIPE).stdout(PIPE);
            let done = slow.popen().map_err(Error::from).and_then(|it| it.communicate(&input));
            check("communicate", done.is_ok_and(|done| done.stdout == input), "it goes on");
            let popen = Command::new(["sleep", "0.2"]).popen()?;
            let status = popen.wait_timeout(Duration::from_secs(60))?;
            check(
                "timeout",
                status.is_some_and(|it| it.success()),
                "so does a wait with a timeout",
            );
            let status = Command::new(["sleep", "0.2"]).popen()?.wait()?;
            check("wait", status.success(), "and one without");
            stop.store(true, Relaxed);
            Ok(())
        })
    }
);

#[test]
fn signals_that_arrive_meanwhile_change_nothing() {
    let checks = ["communicate", "timeout", "wait"];
    Judge::scenario(&is_interrupted).declare(checks).run().assert_clean();
}
