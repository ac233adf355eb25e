use std::io::{self, IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// How far the job is, on stderr, if that is a terminal; drawn anew ten times a second. Dropping it leaves the line as
/// it was.
#[derive(Debug)]
pub struct Bar {
    all: u64,
    done: u64,
    drawn: Option<Instant>,
    visible: bool,
}

const WIDTH: u64 = 40;

impl Bar {
    /// For so many bytes.
    pub fn new(all: u64) -> Bar {
        Bar { all, done: 0, drawn: None, visible: stderr().is_terminal() }
    }

    /// So many more of them are done.
    pub fn advance(&mut self, bytes: u64) {
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
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(stderr(), "\r{:70}\r", "");
        }
    }
}
