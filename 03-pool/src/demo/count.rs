use std::ffi::OsString;
use std::io::{self, BufWriter, IsTerminal, Write, stderr, stdout};
use std::time::{Duration, Instant};

use pool::Pool;
use pool::wc::{Batch, Plan, Report, Tally, count};

/// A batch, with how many bytes it was worth, for the bar.
fn count_and_tell(batch: Batch) -> (u64, Vec<Tally>) {
    (batch.bytes, count(batch))
}

/// Counts the files in and below the paths; true if all could be read.
pub(crate) fn run(paths: Vec<OsString>) -> Result<bool, Box<dyn std::error::Error>> {
    let plan = Plan::new(paths);
    let batches = plan.batches();
    let mut bar = Bar::new(batches.iter().map(|batch| batch.bytes).sum());
    let mut report = Report::new(plan);
    let pool = Pool::builder().build()?;
    for answer in pool.imap_unordered(count_and_tell, batches) {
        let (bytes, tallies) = answer?;
        report.add(tallies);
        bar.advance(bytes);
    }
    bar.clear();
    pool.close().join();
    let mut out = BufWriter::new(stdout().lock());
    let fine = report.print(&mut out, &mut stderr())?;
    out.flush()?;
    Ok(fine)
}

/// How far it is, on stderr, if that is a terminal; drawn anew ten times a second.
struct Bar {
    all: u64,
    done: u64,
    drawn: Option<Instant>,
    visible: bool,
}

const WIDTH: u64 = 40;

impl Bar {
    fn new(all: u64) -> Bar {
        Bar { all, done: 0, drawn: None, visible: stderr().is_terminal() }
    }

    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        let fresh = self.drawn.is_some_and(|drawn| drawn.elapsed() < Duration::from_millis(100));
        if self.visible && !fresh && self.draw().is_ok() {
            self.drawn = Some(Instant::now());
        }
    }

    fn draw(&self) -> io::Result<()> {
        let filled = (self.done * WIDTH).checked_div(self.all).unwrap_or(WIDTH).min(WIDTH);
        let bar = "#".repeat(filled as usize);
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let (done, all) = (mebibytes(self.done), mebibytes(self.all));
        write!(stderr(), "\r[{bar:.<40}] {done:.0} of {all:.0} MiB ")
    }

    /// Leaves the line as it was.
    fn clear(&self) {
        if self.drawn.is_some() {
            let _ = write!(stderr(), "\r{:70}\r", "");
        }
    }
}
