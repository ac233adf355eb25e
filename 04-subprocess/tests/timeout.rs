//! Promises of timeouts: on time, with all that was started, and with what there was to read.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use judge::{Judge, Limit, check, scenario};
use subprocess::{Command, Error, Group, PIPE, TimeoutExpired};

/// Prints its number and those of all that it starts, none of whom ends: a child, one who ignores
/// what may be ignored, one in a session of its own with a child, one whose parent has ended.
const FAMILY: &str = r#"
echo root $$
sleep 60 & echo child $!
(trap '' TERM HUP INT; echo stubborn $(sh -c 'echo $PPID'); while :; do sleep 60; done) &
setsid sh -c 'sleep 60 & echo below $!; echo session $$; wait' &
(sleep 60 & echo orphan $!)
wait
"#;
const MEMBERS: usize = 6;

fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, after)| after.chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

fn members(output: &[u8]) -> BTreeMap<String, i32> {
    let text = String::from_utf8_lossy(output);
    let member = |line: &str| {
        let (who, pid) = line.split_once(' ')?;
        Some((who.to_owned(), pid.parse().ok()?))
    };
    text.lines().filter_map(member).collect()
}

fn expired(result: Result<subprocess::CompletedProcess, Error>) -> Option<TimeoutExpired> {
    match result {
        Err(Error::Timeout(expired)) => Some(expired),
        _ => None,
    }
}

scenario!(
    fn times_out() -> Result<(), Error> {
        let timeout = Duration::from_secs(1);
        let start = Instant::now();
        let family = Command::shell(FAMILY).stdout(PIPE).timeout(timeout);
        let Some(expired) = expired(family.run()) else { return Ok(()) };
        let took = start.elapsed();
        check("time", timeout <= took && took < Duration::from_secs(10), "not early, not late");
        check("killed", expired.status.map(|it| it.exitcode()) == Some(-9), "it was killed");
        let members = members(&expired.stdout);
        check("partial", members.contains_key("root"), "the error carries what was written");
        let living: Vec<_> = members.iter().filter(|(_, pid)| lives(**pid)).collect();
        check("all", living.is_empty(), &format!("all have ended when it comes: {living:?}"));
        Ok(())
    }
);

#[test]
fn a_timeout_kills_the_program_and_everything_that_it_started() {
    let checks = ["time", "killed", "partial", "all"];
    Judge::scenario(&times_out).declare(checks).run().assert_clean();
}

scenario!(
    fn kills_by_descent() -> Result<(), Error> {
        let family = Command::shell(FAMILY.replace("(sleep 60 & echo orphan $!)", "echo orphan 0"));
        let family = family.stdout(PIPE).process_group(Group::Inherited).popen()?;
        let members = until_all_said(&family)?;
        family.kill_tree()?;
        let living: Vec<_> = members.iter().filter(|(_, pid)| **pid > 0 && lives(**pid)).collect();
        check("all", living.is_empty(), &format!("without a group of its own, too: {living:?}"));
        check("status", family.wait()?.signal() == Some(9), "it ended by the signal");
        check("again", family.kill_tree().is_ok(), "once more hurts nobody");
        Ok(())
    }
);

/// Talks until all members of the family have told their numbers.
fn until_all_said(family: &subprocess::Popen) -> Result<BTreeMap<String, i32>, Error> {
    loop {
        match family.communicate_timeout(&[], Duration::from_millis(20)) {
            Err(Error::Timeout(expired)) => {
                let members = members(&expired.stdout);
                if members.len() == MEMBERS {
                    return Ok(members);
                }
            }
            other => return other.map(|done| panic!("it ended: {done:?}")),
        }
    }
}

#[test]
fn in_our_own_group_all_descendants_are_killed_and_nobody_else() {
    let checks = ["all", "status", "again"];
    Judge::scenario(&kills_by_descent).declare(checks).run().assert_clean();
}

scenario!(
    fn spares_the_others() -> Result<(), Error> {
        let command = Command::shell("sleep 60 & echo child $!; wait").stdout(PIPE);
        let short = command.timeout(Duration::from_secs(1)).grace(Duration::ZERO);
        let Some(expired) = expired(short.kill_tree(false).run()) else { return Ok(()) };
        let members = members(&expired.stdout);
        check("status", expired.status.is_some(), "the program has ended");
        check("child", members.values().all(|pid| lives(*pid)), "and its child has not");
        for pid in members.into_values() {
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(pid),
                nix::sys::signal::Signal::SIGKILL,
            );
        }
        Ok(())
    }
);

#[test]
fn asked_to_a_timeout_kills_the_program_alone() {
    Judge::scenario(&spares_the_others).declare(["status", "child"]).run().assert_clean();
}

scenario!(
    fn ends_before_the_pipe() -> Result<(), Error> {
        let holder = Command::shell("sleep 60 & echo child $!").stdout(PIPE).grace(Duration::MAX);
        let Some(expired) = expired(holder.timeout(Duration::from_secs(1)).run()) else {
            return Ok(());
        };
        check("status", expired.status.is_some_and(|it| it.success()), "it had ended well");
        let members = members(&expired.stdout);
        check("left", members.values().all(|pid| !lives(*pid)), "whom it left was killed");
        Ok(())
    }
);

#[test]
fn a_timeout_reaches_whoever_outlived_the_program() {
    Judge::scenario(&ends_before_the_pipe).declare(["status", "left"]).run().assert_clean();
}

scenario!(
    fn breeds() -> Result<(), Error> {
        // Each starts the next one and ends: who is killed by number is never the last one. Should we
        // fail to catch it, it ends by itself.
        let breed = r#"[ "$2" -eq 0 ] || /bin/sh -c "$1" sh "$1" $(($2 - 1)) & exec sleep 0.01"#;
        let command = Command::new(["/bin/sh", "-c", breed, "sh", breed, "5000"]);
        let done =
            command.timeout(Duration::from_millis(300)).grace(Duration::MAX).stdout(PIPE).run();
        check("expired", expired(done).is_some(), "it went on until it was stopped");
        Ok(())
    }
);

#[test]
fn who_runs_away_by_forking_is_caught() {
    // That none is left is for the judge to see.
    let judge = Judge::scenario(&breeds).limit(Limit::Processes(300));
    judge.declare(["expired"]).run().assert_clean();
}

scenario!(
    fn is_starting_programs() -> Result<(), Error> {
        // A parent in vfork(2) waits for its child and does not stop, and its child is stopped with the
        // group: often enough one of ten is caught in it.
        let line = "setsid sleep 60 & while :; do /bin/true; done";
        for _ in 0..10 {
            let busy = Command::shell(line).timeout(Duration::from_millis(50)).run();
            check("expired", expired(busy).is_some(), "it goes on for ever");
        }
        Ok(())
    }
);

#[test]
fn a_program_that_is_just_starting_another_one_is_killed_with_all_as_well() {
    // That none is left is for the judge to see.
    let judge = Judge::scenario(&is_starting_programs);
    judge.declare(["expired"]).run().assert_clean();
}

scenario!(
    fn wakes_once() -> Result<(), Error> {
        let popen = Command::new(["sleep", "0.4"]).popen()?;
        let before = switches();
        let status = popen.wait_timeout(Duration::from_secs(60))?;
        let slept = switches() - before;
        check("status", status.is_some_and(|it| it.success()), "it got the status");
        check("asleep", slept <= 4, &format!("it slept {slept} times, and not in a loop"));
        Ok(())
    }
);

/// How often this thread went to sleep by itself.
fn switches() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").expect("proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).expect("a number")
}

#[test]
fn a_wait_with_a_timeout_wakes_when_the_program_ends_and_not_to_look() {
    Judge::scenario(&wakes_once).declare(["status", "asleep"]).run().assert_clean();
}

scenario!(
    fn waits_for_a_while() -> Result<(), Error> {
        let popen = Command::shell("read line; exit 7").stdin(PIPE).popen()?;
        let stdin = popen.take_stdin();
        let timeout = Duration::from_millis(50);
        let start = Instant::now();
        check("none", popen.wait_timeout(timeout)?.is_none(), "it has not ended");
        check("time", start.elapsed() >= timeout, "the wait is as long as asked");
        check("zero", popen.wait_timeout(Duration::ZERO)?.is_none(), "nor at once");
        let status = thread::scope(|scope| {
            let waits = scope.spawn(|| popen.wait_timeout(Duration::MAX));
            drop(stdin);
            waits.join().expect("it does not panic")
        })?;
        check("status", status.and_then(|it| it.code()) == Some(7), "a later wait gets it");
        Ok(())
    }
);

#[test]
fn a_wait_that_timed_out_leaves_the_status_for_a_later_one() {
    let checks = ["none", "time", "zero", "status"];
    Judge::scenario(&waits_for_a_while).declare(checks).run().assert_clean();
}
