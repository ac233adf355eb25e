//! Promises of `Popen` as a thing that is shared, signalled, and dropped.

use std::fs;
use std::thread;
use std::time::Duration;

use judge::{Judge, check, scenario};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use subprocess::{Command, Error, ExitStatus, Group, PIPE, Popen, Signal};

/// The letter in /proc/PID/stat, if there is such a process.
fn state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// A program that ends with this code when its stdin is closed.
fn ends_with(code: i32) -> Result<Popen, Error> {
    Ok(Command::shell(format!("read line; exit {code}")).stdin(PIPE).popen()?)
}

const WAITS: [fn(&Popen) -> Option<ExitStatus>; 4] = [
    |popen| popen.wait().ok(),
    |popen| popen.wait_timeout(Duration::from_secs(60)).ok().flatten(),
    |popen| popen.communicate(&[]).ok().map(|done| done.status),
    |popen| {
        loop {
            match popen.poll() {
                Ok(None) => thread::yield_now(),
                ended => break ended.ok().flatten(),
            }
        }
    },
];

scenario!(
    fn many_wait_for_one() -> Result<(), Error> {
        for code in 0..50 {
            let popen = ends_with(code)?;
            let stdin = popen.take_stdin();
            let same = thread::scope(|scope| {
                let popen = &popen;
                let threads: Vec<_> =
                    WAITS.iter().cycle().take(8).map(|wait| scope.spawn(|| wait(popen))).collect();
                drop(stdin);
                let mut statuses =
                    threads.into_iter().map(|thread| thread.join().expect("no panic"));
                statuses.all(|status| status == Some(ExitStatus::Exited(code)))
            });
            check("same", same, "all of them got its status");
            let again = popen.wait()? == popen.wait()? && popen.returncode() == Some(code);
            check("again", again && popen.poll()?.is_some(), "asked again, they say the same");
        }
        Ok(())
    }
);

#[test]
fn threads_that_wait_for_one_program_all_get_its_status_as_often_as_they_ask() {
    Judge::scenario(&many_wait_for_one).declare(["same", "again"]).run().assert_clean();
}

scenario!(
    fn is_ended_by_another_thread() -> Result<(), Error> {
        for talks in [false, true] {
            let popen = Command::new(["cat"]).stdin(PIPE).stdout(PIPE).popen()?;
            let _stdin = popen.take_stdin();
            let status = thread::scope(|scope| {
                let waits = scope.spawn(|| match talks {
                    false => popen.wait().map_err(Error::from),
                    true => popen.communicate(&[]).map(|done| done.status),
                });
                popen.terminate()?;
                waits.join().expect("no panic")
            })?;
            check("ended", status.exitcode() == -15, "one waits or talks, the other one ends it");
        }
        Ok(())
    }
);

#[test]
fn one_thread_ends_a_program_while_another_waits_for_it_or_talks_with_it() {
    Judge::scenario(&is_ended_by_another_thread).declare(["ended"]).run().assert_clean();
}

scenario!(
    fn waits_for_a_reader() -> Result<(), Error> {
        let cat = || Command::new(["cat"]).stdin(PIPE).stdout(PIPE).popen();
        check("wait", cat()?.wait()?.success(), "it reads the end of its input");
        let status = cat()?.wait_timeout(Duration::from_secs(60))?;
        check("timeout", status.is_some_and(|status| status.success()), "here too");
        let talks = cat()?;
        let begun = talks.communicate_timeout(&vec![b'x'; 8 << 20], Duration::ZERO);
        check("begun", matches!(begun, Err(Error::Timeout(_))), "eight megabytes take time");
        let none = talks.wait_timeout(Duration::from_millis(20))?;
        check("waits", none.is_none(), "it waits for more input, or for a reader");
        let done = talks.communicate(&[])?;
        check("kept", done.stdout.len() == 8 << 20, "what was begun is not cut short by a wait");
        Ok(())
    }
);

#[test]
fn a_wait_closes_an_input_that_nobody_will_write_to() {
    let checks = ["wait", "timeout", "begun", "waits", "kept"];
    Judge::scenario(&waits_for_a_reader).declare(checks).run().assert_clean();
}

scenario!(
    fn signals() -> Result<(), Error> {
        let popen = Command::new(["sleep", "60"]).popen()?;
        check("runs", popen.poll()?.is_none() && popen.returncode().is_none(), "it runs");
        popen.send_signal(Signal::SIGSTOP)?;
        while state(popen.pid()) != Some('T') {
            thread::yield_now();
        }
        popen.send_signal(Signal::SIGCONT)?;
        check("stopped", popen.wait_timeout(Duration::ZERO)?.is_none(), "a stop is no end");
        popen.kill()?;
        check("killed", popen.wait()?.exitcode() == -9, "killed");
        let after = [popen.kill(), popen.terminate(), popen.send_signal(Signal::SIGUSR1)];
        check("after", after.iter().all(Result::is_ok), "after its end a signal is no error");
        Ok(())
    }
);

#[test]
fn a_program_is_stopped_continued_and_killed_by_signals() {
    let checks = ["runs", "stopped", "killed", "after"];
    Judge::scenario(&signals).declare(checks).run().assert_clean();
}

scenario!(
    fn a_number_is_used_again() {
        // In a namespace of their own: set back for all, the numbers would confuse everybody.
        if unshare(CloneFlags::CLONE_NEWPID).is_err() {
            println!("skipped: no process namespace for this user");
            return;
        }
        let in_namespace = || -> Result<i32, Error> {
            let ended = Command::new(["true"]).process_group(Group::Own).popen()?;
            ended.wait()?;
            // The kernel looks for the next free number from here on; root may say from where.
            let last = (ended.pid() - 1).to_string();
            if fs::write("/proc/sys/kernel/ns_last_pid", last).is_err() {
                return Ok(2);
            }
            let stranger = Command::new(["sleep", "60"]).new_session().popen()?;
            assert_eq!(stranger.pid(), ended.pid(), "the number is used again");
            ended.send_signal(Signal::SIGUSR1)?;
            ended.terminate()?;
            ended.kill()?;
            ended.kill_tree()?;
            assert!(ended.wait()?.success() && ended.poll()?.is_some(), "no status was taken");
            let unharmed = stranger.wait_timeout(Duration::from_millis(50))?.is_none();
            stranger.kill_tree()?;
            Ok(i32::from(!unharmed || stranger.wait()?.signal() != Some(9)))
        };
        let child = fork::fork(|| in_namespace().expect("no error")).expect("a child");
        let code = child.wait().expect("its status").code();
        if code == Some(2) {
            println!("skipped: the next process's number can't be chosen here");
            return;
        }
        check("stranger", code == Some(0), "neither signalled nor waited for");
    }
);

#[test]
fn a_process_that_has_the_number_by_now_is_neither_signalled_nor_waited_for() {
    let report = Judge::scenario(&a_number_is_used_again).declare(["stranger"]).run();
    if report.stdout().starts_with("skipped") {
        eprintln!("NOT TESTED, {}", report.stdout());
        return;
    }
    report.assert_clean();
}

scenario!(
    fn drops() -> Result<(), Error> {
        let ended = Command::new(["true"]).popen()?;
        let pid = ended.pid();
        while state(pid) != Some('Z') {
            thread::yield_now();
        }
        drop(ended);
        check("at once", state(pid).is_none(), "one that has ended is reaped when it is dropped");

        // Its stdout is our pipe: its end is an event for us.
        let running = Command::new(["cat"]).stdin(PIPE).stdout(PIPE).popen()?;
        let (pid, stdin, stdout) = (running.pid(), running.take_stdin(), running.take_stdout());
        drop(running);
        check("lives", state(pid).is_some(), "one that runs is neither ended nor waited for");
        drop(stdin);
        let stdout = stdout.expect("it is a pipe");
        let mut end = [PollFd::new(std::os::fd::AsFd::as_fd(&stdout), PollFlags::POLLIN)];
        while poll(&mut end, PollTimeout::NONE).is_err() || state(pid) != Some('Z') {
            thread::yield_now();
        }
        let next = Command::new(["true"]).popen()?;
        check("later", state(pid).is_none(), "it is reaped by the next start after its end");
        next.wait()?;

        let pipes = Command::new(["cat"]).stdin(PIPE).stdout(PIPE).popen()?;
        let pid = pipes.pid();
        drop(pipes);
        while state(pid) != Some('Z') {
            thread::yield_now();
        }
        subprocess::call(["true"])?;
        check("pipes", state(pid).is_none(), "one that waited for our pipe ended by itself");
        Ok(())
    }
);

#[test]
fn a_dropped_handle_leaves_no_zombie_beyond_the_next_start() {
    let checks = ["at once", "lives", "later", "pipes"];
    Judge::scenario(&drops).declare(checks).run().assert_clean();
}
