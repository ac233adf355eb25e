use std::ffi::OsString;
use std::io::{BufWriter, Write, stderr, stdout};

use pool::Pool;
use pool::wc::{Bar, Batch, Plan, Report, Tally, count};

/// A batch, with how many bytes it was worth, for the bar.
fn count_and_tell(batch: Batch) -> (u64, Vec<Tally>) {
    (batch.bytes, count(batch))
}

/// Counts the files in and below the paths; true if all could be read.
pub(crate) fn run(paths: Vec<OsString>) -> Result<bool, Box<dyn std::error::Error>> {
    let plan = Plan::new(paths);
    let (batches, mut bar) = (plan.batches(), Bar::new(plan.bytes()));
    let mut report = Report::new(plan);
    let pool = Pool::builder().build()?;
    for answer in pool.imap_unordered(count_and_tell, batches) {
        let (bytes, tallies) = answer?;
        report.add(tallies);
        bar.advance(bytes);
    }
    drop(bar);
    pool.close().join();
    let mut out = BufWriter::new(stdout().lock());
    let fine = report.print(&mut out, &mut stderr())?;
    out.flush()?;
    Ok(fine)
}
