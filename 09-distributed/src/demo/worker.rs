//! A worker: takes tasks, puts results. As the tutorial's `task_worker.py`.

use std::io::{self, Write};
use std::time::Duration;

use distributed::CallError;

use crate::demo::options::{ABSENCE, Options};
use crate::demo::{Outcome, RESULTS, TASKS};

pub(crate) fn run(options: &Options) -> Outcome {
    let mut out = io::stdout();
    writeln!(out, "Connect to server {}...", options.host())?;
    let manager = options.connect()?;
    let (mut tasks, mut results) = (manager.queue(TASKS)?, manager.queue(RESULTS)?);
    loop {
        let number: i64 = match tasks.get_timeout(Duration::from_secs(1)) {
            Ok(number) => number,
            Err(CallError::Empty) if options.stay => continue,
            Err(CallError::Empty) => break,
            Err(CallError::Lost(_)) => {
                tasks.reconnect(ABSENCE)?;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        writeln!(out, "run task {number} * {number}...")?;
        let result = format!("{number} * {number} = {}", i128::from(number).pow(2));
        while let Err(error) = results.put(&result) {
            let CallError::Lost(_) = error else { return Err(error.into()) };
            results.reconnect(ABSENCE)?;
        }
    }
    writeln!(out, "worker exit.")?;
    Ok(())
}
