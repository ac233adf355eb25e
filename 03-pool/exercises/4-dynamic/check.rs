// What `map_dynamic` must do: with one worker, with a task that takes as long as all others, and with many tasks.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::OnceLock;
use std::time::Duration;

use judge::exercise::{Case, require};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::pipe;

use super::answer::map_dynamic;

pub(crate) const CASES: &[Case] = &[
    Case::of(&one_worker_does_a_few_tasks).comes_back(BACK).within(SHORT).hang(
        "hang with a few tasks: a pipe never comes to its end; close your copy of the results' \
         write end, and in each worker the one of the tasks",
    ),
    Case::of(&a_free_worker_takes_the_next_task).comes_back(BACK).within(SHORT).hang(
        "while one worker was busy with a slow task, tasks waited behind it though the others were \
         idle: let each worker take the next task when it is free",
    ),
    Case::of(&any_number_of_tasks).comes_back(BACK).within(Duration::from_secs(1)).hang(
        "hang with many tasks: you write all tasks before you read a result, and both pipes are \
         full; write from a second thread (or poll)",
    ),
    Case::of(&nothing_is_left)
        .comes_back(BACK)
        .hang("hang: without inputs, or with more workers than inputs, the pipes must end, too")
        .zombie(ZOMBIE)
        .descriptor("a descriptor stays open at each call: both pipes have two ends"),
];

const SHORT: Duration = Duration::from_millis(700);
const BACK: &str = "a worker came back out of map_dynamic: end it with libc::_exit, or everything \
                    after the call runs twice";
const ZOMBIE: &str = "a worker was not waited for: the end of the results is not the end of the \
                      processes, call waitpid for each";

judge::case!(
    fn one_worker_does_a_few_tasks() {
        let got = map_dynamic(1, &[3, 0, 5], |x| x * x);
        require(got == Ok(vec![9, 0, 25]), &format!("the squares of 3, 0 and 5 came as {got:?}"));
    }
);

const TASKS: usize = 30;
static DONE: OnceLock<(File, File)> = OnceLock::new();

fn done() -> &'static (File, File) {
    let both = || pipe().map(|(rd, wr)| (File::from(rd), File::from(wr))).expect("a pipe");
    DONE.get_or_init(both)
}

/// Task 0 takes until all others are done: whoever is given anything beside it never does it.
fn the_first_takes_longest(x: u64) -> u64 {
    if x == 0 {
        let _ = (&done().0).read_exact(&mut [0; TASKS - 1]);
    } else {
        let _ = (&done().1).write_all(&[0]);
    }
    x + 100
}

judge::case!(
    fn a_free_worker_takes_the_next_task() {
        done();
        let inputs: Vec<u64> = (0..TASKS as u64).collect();
        let got = map_dynamic(3, &inputs, the_first_takes_longest).unwrap_or_default();
        let right: Vec<u64> = inputs.iter().map(|x| x + 100).collect();
        let mut sorted = got.clone();
        sorted.sort_unstable();
        require(
            got == right || sorted != right,
            "the results are in the order in which they were ready: put each at the index that it \
             came with",
        );
        require(got == right, &format!("thirty tasks, x + 100 each, came as {got:?}"));
    }
);

judge::case!(
    fn any_number_of_tasks() {
        let inputs: Vec<u64> = (0..10_000).collect();
        let got = map_dynamic(2, &inputs, |x| x + 1).unwrap_or_default();
        let wrong = inputs.iter().zip(&got).find(|(x, result)| **x + 1 != **result);
        require(got.len() == inputs.len(), &format!("10000 inputs gave {} results", got.len()));
        require(wrong.is_none(), &format!("of 10000 tasks one came as (input, result) {wrong:?}"));
    }
);

judge::case!(
    fn nothing_is_left() {
        for inputs in [&[][..], &[1], &[1, 2, 3, 4, 5]] {
            let got = map_dynamic(3, inputs, |x| x + 1);
            let right = inputs.iter().map(|x| x + 1).collect();
            require(
                got == Ok(right),
                &format!("{} inputs and three workers gave {got:?}", inputs.len()),
            );
            // Whether it has ended by now or not: a child that is still there was not waited for.
            let any = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
            require(waitid(Id::All, any) == Err(Errno::ECHILD), ZOMBIE);
        }
    }
);
