// What a pool's persistent workers must do: a worker alone, the join alone, and then several together.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::OnceLock;

use std::time::Duration;

use judge::exercise::{Case, require};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, pipe};

use super::answer::{Worker, close_and_join, spawn_worker};

pub(crate) const CASES: &[Case] = &[
    Case::of(&a_worker_does_its_tasks_in_order).comes_back(BACK).within(SHORT).hang(
        "hang: tasks were submitted, and nobody did them; the worker reads 8 bytes, calls f, and \
         reads again",
    ),
    Case::of(&a_worker_ends_when_its_tasks_end).comes_back(BACK).within(SHORT).hang(
        "hang: a single worker holds the write end of its own task pipe and so never sees its end; \
         drop(wr) in the child",
    ),
    Case::of(&close_and_join_closes_and_waits).comes_back(BACK).within(SHORT).hang(
        "hang: close_and_join waits for a worker that waits for more tasks; close the write end \
         first, w.tasks = None",
    ),
    Case::of(&three_workers_end_one_by_one).comes_back(BACK).within(SHORT).hang(
        "hang: worker 0 never sees end of file because the later workers inherited the write end \
         of its task pipe; close the earlier ends in the child",
    ),
    Case::of(&a_worker_starts_after_another_was_closed)
        .comes_back(BACK)
        .hang("hang: a worker that was started after another was closed does not end"),
    Case::of(&nothing_is_left)
        .comes_back(BACK)
        .hang("hang: some workers after some others don't end")
        .zombie("a worker was not waited for: close_and_join calls waitpid with its pid")
        .descriptor("a descriptor stays open: the read end of a task pipe is the child's alone"),
];

const SHORT: Duration = Duration::from_millis(700);
const BACK: &str = "a worker came back out of spawn_worker: end it with libc::_exit when its tasks \
                    are done, or everything after the call runs twice";

/// Where the tasks say that they were done.
static DONE: OnceLock<(File, File)> = OnceLock::new();

fn done() -> &'static (File, File) {
    let both = || pipe().map(|(rd, wr)| (File::from(rd), File::from(wr))).expect("a pipe");
    DONE.get_or_init(both)
}

fn says_done(x: u64) {
    let _ = (&done().1).write_all(&x.to_ne_bytes());
}

fn next_done() -> u64 {
    let mut x = [0; 8];
    let _ = (&done().0).read_exact(&mut x);
    u64::from_ne_bytes(x)
}

fn start(earlier: &[Worker], f: fn(u64)) -> Worker {
    let worker = spawn_worker(earlier, f);
    require(worker.is_ok(), "spawn_worker failed");
    let worker = worker.unwrap_or_else(|_| unreachable!());
    require(worker.tasks.is_some(), "a new worker has a task pipe: tasks is Some");
    worker
}

fn submit(worker: &mut Worker, x: u64) {
    require(worker.submit(x).is_ok(), "nobody reads the task pipe: did the worker end already?");
}

judge::case!(
    fn a_worker_does_its_tasks_in_order() {
        done();
        let mut worker = start(&[], says_done);
        for x in 1..=10 {
            submit(&mut worker, x);
        }
        let got: Vec<_> = (1..=10).map(|_| next_done()).collect();
        require(
            got == (1..=10).collect::<Vec<_>>(),
            &format!("the tasks 1 to 10 were done as {got:?}"),
        );
        let _ = kill(worker.pid, Signal::SIGKILL);
        let _ = waitpid(worker.pid, None);
    }
);

judge::case!(
    fn a_worker_ends_when_its_tasks_end() {
        done();
        let mut worker = start(&[], says_done);
        submit(&mut worker, 1);
        worker.tasks = None;
        let end = waitpid(worker.pid, None);
        require(
            end == Ok(WaitStatus::Exited(worker.pid, 0)),
            &format!("at the end of its tasks a worker exits with 0, and not with {end:?}"),
        );
    }
);

/// A worker that this file starts, and that does what is right: it ends with `code`, or is killed.
fn well_made(code: Option<i32>) -> Worker {
    let (rd, wr) = pipe().expect("a pipe");
    // SAFETY: the case has one thread.
    match unsafe { fork() }.expect("a process") {
        ForkResult::Parent { child } => Worker { pid: child, tasks: Some(wr.into()) },
        ForkResult::Child => {
            drop(wr);
            let mut rd = File::from(rd);
            let mut task = [0; 8];
            while rd.read_exact(&mut task).is_ok() {
                judge::exercise::pause(Duration::from_millis(100));
                says_done(u64::from_ne_bytes(task));
            }
            if code.is_none() {
                let _ = kill(nix::unistd::getpid(), Signal::SIGKILL);
            }
            // SAFETY: it ends the process, and nothing else.
            unsafe { libc::_exit(code.unwrap_or(1)) }
        }
    }
}

judge::case!(
    fn close_and_join_closes_and_waits() {
        done();
        let mut worker = well_made(Some(5));
        submit(&mut worker, 1);
        submit(&mut worker, 2);
        let code = close_and_join(&mut worker);
        require(
            code != Ok(None),
            "close_and_join stopped a worker that had tasks to do: close its pipe, and let it end \
             by itself",
        );
        require(code == Ok(Some(5)), &format!("a worker ended with 5, and you say {code:?}"));
        require(worker.tasks.is_none(), "the task pipe is open after the join: tasks is None then");
        let mut worker = well_made(None);
        let code = close_and_join(&mut worker);
        require(code == Ok(None), &format!("a worker was killed: say Ok(None), and not {code:?}"));
    }
);

judge::case!(
    fn three_workers_end_one_by_one() {
        done();
        let mut workers = Vec::new();
        for _ in 0..3 {
            workers.push(start(&workers, says_done));
        }
        for worker in &mut workers {
            submit(worker, 1);
            let code = close_and_join(worker);
            require(code == Ok(Some(0)), &format!("a worker of three ended as {code:?}"));
        }
    }
);

judge::case!(
    fn a_worker_starts_after_another_was_closed() {
        done();
        let mut workers = vec![start(&[], says_done)];
        let _ = close_and_join(&mut workers[0]);
        let mut second = start(&workers, says_done);
        // It may have ended already: then the code tells.
        let _ = second.submit(1);
        let code = close_and_join(&mut second);
        require(
            code == Ok(Some(0)),
            &format!(
                "a worker was started when an earlier one was closed, and ended as {code:?}: there \
                 tasks is None, and nothing to close"
            ),
        );
    }
);

judge::case!(
    fn nothing_is_left() {
        for _ in 0..5 {
            let mut workers = Vec::new();
            for _ in 0..3 {
                workers.push(start(&workers, drop));
            }
            for worker in workers.iter_mut().rev() {
                let code = close_and_join(worker);
                require(code == Ok(Some(0)), &format!("a worker ended as {code:?}"));
            }
        }
    }
);
