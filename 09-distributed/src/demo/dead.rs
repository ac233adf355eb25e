//! Tasks that were tried too often.

use std::io::{self, Write};

use distributed::{RemoteTasks, TaskQueue};

use crate::demo::options::{ABSENCE, Options};
use crate::demo::{Outcome, TASKS};

pub(crate) fn run(options: &Options) -> Outcome {
    let mut tasks = RemoteTasks::open(&options.connect()?, TASKS, ABSENCE)?;
    let mut out = io::stdout();
    if options.words[0] == "retry" {
        let number = tasks.retry(&options.words[1..])?;
        writeln!(out, "{number} tasks are to be tried again")?;
        return Ok(());
    }
    for dead in tasks.dead()? {
        let id = dead.id.unwrap_or_else(|| format!("{:?}", dead.body));
        let error = dead.error.unwrap_or_default();
        writeln!(out, "{id}: tried {} times; {error}", dead.attempts)?;
    }
    Ok(())
}
