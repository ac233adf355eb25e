//! A worker: takes tasks, gives results. As the tutorial's `task_worker.py`; on lease, where the server knows leases.

use std::io::{self, Write};
use std::time::Duration;

use distributed::{CallError, Heartbeat, Manager, RemoteTasks, TaskQueue, Undone, Value, work};

use crate::demo::options::{ABSENCE, Options};
use crate::demo::{self, Outcome, RESULTS, TASKS, wc};

/// How long there may be nothing to do.
const IDLE: Duration = Duration::from_secs(1);

pub(crate) fn run(options: &Options) -> Outcome {
    let mut out = io::stdout();
    writeln!(out, "Connect to server {}...", options.host())?;
    if let Some(url) = &options.redis {
        lent(|| demo::redis::open(url, options), options.stay)?;
        return Ok(writeln!(out, "worker exit.")?);
    }
    let manager = options.connect()?;
    if manager.queue(TASKS)?.exposed().iter().any(|method| method == "take") {
        lent(|| Ok(RemoteTasks::open(&manager, TASKS, ABSENCE)?), options.stay)?;
    } else {
        given(&manager, options.stay)?;
    }
    writeln!(out, "worker exit.")?;
    Ok(())
}

/// Tasks on lease: if this worker dies, somebody else does them, and each result is recorded once.
fn lent<Tasks: TaskQueue + 'static>(
    open: impl Fn() -> Result<Tasks, Box<dyn std::error::Error>>,
    stay: bool,
) -> Outcome {
    let mut tasks = open()?;
    let heartbeat = Heartbeat::start(open()?, Duration::from_secs(60))?;
    let idle = (!stay).then_some(IDLE);
    work(&mut tasks, &heartbeat, 1, idle, |lease| match lease.body {
        // When nobody listens any more, what is on lease goes back.
        Value::Int(number) => square(number).map_err(|_| Undone::Stop),
        Value::Dict(_) => wc::work(lease.body.clone()),
        ref other => Err(Undone::Failed(format!("{other:?} is no number"))),
    })?;
    Ok(())
}

/// Tasks for good, as from Python's server: what this worker has goes with it.
fn given(manager: &Manager, stay: bool) -> Outcome {
    let (mut tasks, mut results) = (manager.queue(TASKS)?, manager.queue(RESULTS)?);
    loop {
        let number: i64 = match tasks.get_timeout(IDLE) {
            Ok(number) => number,
            Err(CallError::Empty) if stay => continue,
            Err(CallError::Empty) => return Ok(()),
            Err(CallError::Lost(_) | CallError::Silent) => {
                tasks.reconnect(ABSENCE)?;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let result = square(number)?;
        while let Err(error) = results.put_value(result.clone(), None) {
            let (CallError::Lost(_) | CallError::Silent) = error else { return Err(error.into()) };
            results.reconnect(ABSENCE)?;
        }
    }
}

fn square(number: i64) -> io::Result<Value> {
    writeln!(io::stdout(), "run task {number} * {number}...")?;
    Ok(format!("{number} * {number} = {}", i128::from(number).pow(2)).into())
}
