//! The master: puts tasks, waits for results. As the tutorial's `task_master.py` without its server.

use std::io::{self, Read, Write};
use std::time::Duration;

use distributed::CallError;

use crate::demo::options::{ABSENCE, Options};
use crate::demo::{Outcome, RESULTS, TASKS};

pub(crate) fn run(options: &Options) -> Outcome {
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
                Err(CallError::Lost(_)) => {
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

/// A number from 0 to 10,000.
fn dice() -> io::Result<u32> {
    let mut bytes = [0; 4];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(u32::from_ne_bytes(bytes) % 10_001)
}
