//! The master: puts tasks, waits for results. As the tutorial's `task_master.py` without its server.

use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::time::Duration;

use distributed::{CallError, Cursor, Outcome as Done, TaskQueue, Value};

use crate::demo::options::{ABSENCE, Options};
use crate::demo::{self, Outcome, RESULTS, TASKS};

pub(crate) fn run(options: &Options) -> Outcome {
    if let Some(url) = &options.redis {
        return lend(&mut demo::redis::open(url, options)?, options.tasks);
    }
    let manager = options.connect()?;
    let (mut tasks, mut results) = (manager.queue(TASKS)?, manager.queue(RESULTS)?);
    let mut out = io::stdout();
    for _ in 0..options.tasks {
        let number = dice()?;
        writeln!(out, "Put task {number}...")?;
        tasks.put(&number)?;
    }
    writeln!(out, "Try get results...")?;
    for done in 0..options.tasks {
        let result: String = loop {
            match results.get_timeout(Duration::from_secs(60)) {
                Ok(result) => break result,
                Err(CallError::Empty) => {
                    let left = options.tasks - done;
                    eprintln!("distributed: {left} results are still to come; does a worker run?");
                }
                Err(CallError::Lost(_) | CallError::Silent) => {
                    let before = results.id().to_owned();
                    results.reconnect(ABSENCE)?;
                    if results.id() != before {
                        let left = options.tasks - done;
                        return Err(format!(
                            "the server was restarted, and what it had is gone: {left} results will not come"
                        )
                        .into());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        };
        writeln!(out, "Result: {result}")?;
    }
    writeln!(out, "master exit.")?;
    Ok(())
}

/// The same where there are no plain queues: tasks with ids of ours, and a log of results that are not only ours.
fn lend(queue: &mut dyn TaskQueue, tasks: u32) -> Outcome {
    let mut out = io::stdout();
    let (mut ours, mut cursor) = (HashSet::new(), Cursor::default());
    let run = format!("{:08x}{:08x}", random()?, random()?);
    for number in 0..tasks {
        let (id, task) = (format!("{run}:{number}"), dice()?);
        writeln!(out, "Put task {task}...")?;
        queue.put(&[(id.clone(), Value::Int(task.into()))])?;
        ours.insert(id);
    }
    writeln!(out, "Try get results...")?;
    while !ours.is_empty() {
        let log = queue.results(&cursor, 1000, Duration::from_secs(60))?;
        if log.is_empty() {
            let left = ours.len();
            eprintln!("distributed: {left} results are still to come; does a worker run?");
        }
        for done in log {
            cursor = done.cursor;
            match done.outcome {
                _ if !ours.remove(&done.id) => {}
                Done::Value(Value::Str(result)) => writeln!(out, "Result: {result}")?,
                other => writeln!(out, "Result: {}: {other:?}", done.id)?,
            }
        }
    }
    Ok(writeln!(out, "master exit.")?)
}

/// A number from 0 to 10,000.
fn dice() -> io::Result<u32> {
    Ok(random()? % 10_001)
}

fn random() -> io::Result<u32> {
    let mut bytes = [0; 4];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(u32::from_ne_bytes(bytes))
}
