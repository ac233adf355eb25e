//! The real job of the lesson `pool`, with threads: what is counted, and how it is printed, is there.

use std::io::{self, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use pool::wc::{Bar, Batch, Plan, Report, count};
use threads::ThreadPool;

pub(crate) fn run(paths: &[PathBuf]) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let plan = Plan::new(paths);
    let (batches, mut bar) = (plan.batches(), Bar::new(plan.bytes()));
    let mut report = Report::new(plan);
    let pool = ThreadPool::new(thread::available_parallelism().map_or(2, NonZero::get))?;
    let task = |batch: Batch| (batch.bytes, count(batch));
    for counted in pool.imap_unordered(task, batches) {
        let (bytes, tallies) = counted?;
        report.add(tallies);
        bar.advance(bytes);
    }
    drop(bar);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let complete = report.print(&mut out, &mut io::stderr())?;
    out.flush()?;
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
