//! Tasks that were tried too often.

use std::io::{self, Write};

use crate::demo::Outcome;
use crate::demo::options::Options;

pub(crate) fn run(options: &Options) -> Outcome {
    let mut tasks = options.open_tasks()?;
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
