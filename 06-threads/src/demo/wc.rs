//! The real job of the lesson `pool`, with threads: what is counted, and how it is printed, is there.

use std::io::{self, IsTerminal, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use pool::wc::{Batch, Plan, Report, count};
use threads::ThreadPool;

pub(crate) fn run(paths: &[PathBuf]) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let plan = Plan::new(paths);
    let batches = plan.batches();
    let mut bar = Bar::new(batches.iter().map(|batch| batch.bytes).sum());
    let mut report = Report::new(plan);
    let pool = ThreadPool::new(thread::available_parallelism().map_or(2, NonZero::get))?;
    let task = |batch: Batch| (batch.bytes, count(batch));
    for counted in pool.imap_unordered(task, batches) {
        let (bytes, tallies) = counted?;
        report.add(tallies);
        bar.advance(bytes)?;
    }
    drop(bar);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let complete = report.print(&mut out, &mut io::stderr())?;
    out.flush()?;
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How much is done, on a terminal; without one, nothing.
struct Bar {
    terminal: bool,
    all: u64,
    done: u64,
    percent: u64,
}

impl Bar {
    fn new(all: u64) -> Bar {
        Bar { terminal: io::stderr().is_terminal(), all, done: 0, percent: 0 }
    }

    fn advance(&mut self, bytes: u64) -> io::Result<()> {
        self.done += bytes;
        let percent = (100 * self.done).checked_div(self.all).unwrap_or(100);
        if !self.terminal || percent == self.percent {
            return Ok(());
        }
        self.percent = percent;
        let filled = usize::try_from(percent / 5).unwrap_or(20);
        write!(io::stderr(), "\r[{:.<20}] {percent:3} %", "#".repeat(filled))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.percent > 0 {
            // Leaves the line as it was.
            let _ = write!(io::stderr(), "\r{:28}\r", "");
        }
    }
}
