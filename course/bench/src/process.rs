//! Lesson 2: a process as an object.

use ::process::{Process, Start};

use crate::limit;
use crate::measure::{Asked, Measure, Outcome, Sides, Unit};

/// The argument that makes this program end at once: what a bare re-execution runs.
pub(crate) const NOTHING: &str = "--nothing";

pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "process/fork",
        job: "start a Process by fork, and join it",
        unit: Unit::TimeOf("process"),
        units: 1,
        asked: &[Asked::AtMost(1.3, "fork, _exit, waitpid")],
        pinned: false,
        sides: by_fork,
    },
    Measure {
        name: "process/spawn",
        job: "start a Process by spawn, and join it",
        unit: Unit::TimeOf("process"),
        units: 1,
        asked: &[Asked::AtMost(1.3, "posix_spawn of this program")],
        pinned: false,
        sides: by_spawn,
    },
];

fn nothing() {}

fn start_and_join(method: Start) -> Outcome {
    let mut process = Process::new(nothing, ()).method(method);
    process.start()?;
    Ok(process.join()?)
}

fn by_fork(sides: &mut Sides) -> Outcome {
    sides.ours("process::Process, Start::Fork", || start_and_join(Start::Fork));
    sides.limit("fork, _exit, waitpid", || Ok(limit::fork_exit_wait()?));
    sides.python("Python Process, fork", &python("fork"));
    Ok(())
}

fn by_spawn(sides: &mut Sides) -> Outcome {
    sides.ours("process::Process, Start::Spawn", || start_and_join(Start::Spawn));
    let spawn = limit::Spawn::new(&["/proc/self/exe", NOTHING])?;
    sides.limit("posix_spawn of this program", move || Ok(spawn.run()?));
    sides.python("Python Process, spawn", &python("spawn"));
    sides.python("Python Process, forkserver", &python("forkserver"));
    Ok(())
}

fn python(method: &str) -> String {
    format!(
        r#"
import multiprocessing, os
context = multiprocessing.get_context("{method}")
def run():
    process = context.Process(target=os.getpid)
    process.start()
    process.join()
    if process.exitcode != 0:
        raise SystemExit(f"the process ended with {{process.exitcode}}")
"#
    )
}
