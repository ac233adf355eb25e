//! Lesson 1: a child from the bare system call.

use ::fork::ExitStatus;

use crate::limit;
use crate::measure::{Asked, Measure, Outcome, Sides, Unit};

pub(crate) const MEASURES: &[Measure] = &[Measure {
    name: "fork/wait",
    job: "fork a child that exits at once, and wait for it",
    unit: Unit::TimeOf("child"),
    units: 1,
    asked: &[Asked::AtMost(1.15, "fork, _exit, waitpid")],
    pinned: false,
    sides: fork_wait,
}];

fn fork_wait(sides: &mut Sides) -> Outcome {
    sides.ours("fork::fork, wait", || match ::fork::fork(|| 0)?.wait()? {
        ExitStatus::Exited(0) => Ok(()),
        status => Err(format!("the child ended with {status:?}").into()),
    });
    sides.limit("fork, _exit, waitpid", || Ok(limit::fork_exit_wait()?));
    sides.python(
        "Python os.fork",
        "
import os
def run():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
",
    );
    Ok(())
}
