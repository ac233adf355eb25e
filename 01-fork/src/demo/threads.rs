use std::process::id;
use std::sync::Barrier;
use std::{fs, thread};

use fork::{ExitStatus, ForkError};

use super::Outcome;

pub(crate) fn run() -> Outcome {
    // All four are there when one forks, and none ends before its child has.
    let (there, done) = (&Barrier::new(4), &Barrier::new(4));
    thread::scope(|scope| {
        for name in ["anna", "carl"] {
            thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, || {
                there.wait();
                done.wait();
            })?;
        }
        let bert = thread::Builder::new().name("bert".to_owned()).spawn_scoped(scope, || {
            there.wait();
            let child = fork_here();
            done.wait();
            child
        })?;
        there.wait();
        done.wait();
        match bert.join() {
            Ok(child) => Ok(child.map(drop)?),
            Err(_) => Err("the thread bert panicked".into()),
        }
    })
}

fn fork_here() -> Result<Option<ExitStatus>, ForkError> {
    println!("I am process {}, with the threads {}. The thread bert forks.", id(), threads());
    let child = fork::fork(|| {
        println!("I am its child {}, with the threads {}.", id(), threads());
        println!(
            "The others were not stopped: here they never were. What they had locked stays locked."
        );
        0
    })?;
    Ok(child.wait().ok())
}

/// The names of this process's threads, as the kernel knows them.
fn threads() -> String {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).collect::<Vec<_>>().join(", ")
}
