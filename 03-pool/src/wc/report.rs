use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

use super::plan::{Found, Plan};
use super::quote::quote;
use super::{Counts, Tally};

/// The answers of a job, put together.
#[derive(Debug)]
pub struct Report {
    plan: Plan,
    tallies: Vec<Vec<Tally>>,
}

impl Report {
    /// An empty report of what is planned.
    pub fn new(plan: Plan) -> Report {
        let tallies = vec![Vec::new(); plan.files.len()];
        Report { plan, tallies }
    }

    /// Takes in the answer to one batch. The batches may come in any order.
    pub fn add(&mut self, tallies: Vec<Tally>) {
        for tally in tallies {
            if let Some(of_file) = self.tallies.get_mut(tally.file as usize) {
                of_file.push(tally);
            }
        }
    }

    /// Prints a line for each file that could be opened, in the plan's order, and a last one for all
    /// if there are several; what could not be read, on `errors`. Returns whether all could: `wc`
    /// ends with the code 1 otherwise.
    ///
    /// # Errors
    ///
    /// An error in writing to `out`.
    pub fn print(&mut self, out: &mut impl Write, errors: &mut impl Write) -> io::Result<bool> {
        let (width, mut total, mut fine) = (self.width(), Counts::default(), true);
        let files: Vec<(&Found, Tally)> = self
            .plan
            .files
            .iter()
            .zip(&mut self.tallies)
            .map(|(found, pieces)| {
                pieces.sort_by_key(|tally| tally.piece);
                let mut whole = Tally::default();
                whole.error = found.error;
                pieces.iter().for_each(|piece| whole.join(piece));
                (found, whole)
            })
            .collect();
        for (found, whole) in &files {
            let name = found.path.as_os_str().as_bytes();
            if let Some(error) = whole.error {
                fine = false;
                // Whoever does not read the messages still gets the counts.
                let _ = writeln!(errors, "wc: {}", message(name, error));
            }
            if whole.opened {
                line(out, width, whole.counts(), name)?;
                total += whole.counts();
            }
        }
        if files.iter().filter(|(found, _)| found.error.is_none()).count() > 1 {
            line(out, width, total, b"total")?;
        }
        Ok(fine)
    }

    /// As wide as the largest number can be: the bytes of all regular files.
    fn width(&self) -> usize {
        let least = if self.plan.files.iter().any(|found| found.special) { 7 } else { 1 };
        self.plan.bytes().to_string().len().max(least)
    }
}

fn line(out: &mut impl Write, width: usize, counts: Counts, name: &[u8]) -> io::Result<()> {
    let Counts { lines, words, bytes } = counts;
    write!(out, "{lines:width$} {words:width$} {bytes:width$} ")?;
    if name.contains(&b'\n') {
        out.write_all(quote(name).as_bytes())?;
    } else {
        out.write_all(name)?;
    }
    out.write_all(b"\n")
}

fn message(name: &[u8], error: i32) -> String {
    let text = io::Error::from_raw_os_error(error).to_string();
    // Rust adds the error's number to the system's words.
    let text = text.split(" (os error").next().unwrap_or_default();
    format!("{}: {text}", quote(name))
}
