//! The real job: what `LC_ALL=C wc` prints for all files below some paths, counted by a pool.

mod count;
mod walk;

use std::error::Error;
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::num::NonZero;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::{fs, thread};

use threads::ThreadPool;

use count::Count;
use walk::File;

/// A large file is counted in pieces of this size, by several threads.
const PIECE: u64 = 1 << 20;

/// A file's number, where a piece of it starts, and whether it is the last one.
type Piece = (usize, u64, bool);
type Counted = (Count, Option<(&'static str, io::Error)>);

pub(crate) fn run(paths: &[PathBuf]) -> Result<ExitCode, Box<dyn Error>> {
    let (files, mut errors) = walk::walk(paths);
    let files = Arc::new(files);
    let counts = count_all(&files, &mut errors)?;
    print(&files, &counts, files.len() + errors.len() > 1)?;
    for (path, error) in &errors {
        // Without the number of the error, as the C library says it.
        let text = error.to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        eprintln!("threads: {}: {text}", path.display());
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The counts of all files; none of those that could not be opened.
fn count_all(
    files: &Arc<Vec<File>>,
    errors: &mut Vec<(PathBuf, io::Error)>,
) -> Result<Vec<Option<Count>>, Box<dyn Error>> {
    let pool = ThreadPool::new(thread::available_parallelism().map_or(2, NonZero::get))?;
    let pieces: Vec<Piece> = files.iter().enumerate().flat_map(pieces).collect();
    let shared = Arc::clone(files);
    let task = move |piece: Piece| (piece, count_piece(&shared[piece.0].path, piece));

    let mut counts = vec![Some(Count::default()); files.len()];
    let (total, mut done) = (pieces.len(), 0);
    let mut bar = Bar::new();
    // A chunk of pieces is what a thread takes at a time: many files are small.
    for counted in pool.chunk_size(8).imap(task, pieces) {
        let ((number, ..), (count, error)) = counted?;
        match (&mut counts[number], error) {
            (_, None) => {}
            (slot, Some((attempt, error))) => {
                errors.push((files[number].path.clone(), error));
                if attempt == "open" {
                    *slot = None;
                }
            }
        }
        if let Some(all) = &mut counts[number] {
            *all += count;
        }
        done += 1;
        bar.show(done, total)?;
    }
    Ok(counts)
}

fn pieces((number, file): (usize, &File)) -> impl Iterator<Item = Piece> {
    // The last one goes on to the end, wherever that is by then.
    let last = file.size.saturating_sub(1) / PIECE;
    (0..=last).map(move |index| (number, index * PIECE, index == last))
}

fn count_piece(path: &Path, (_, start, last): Piece) -> Counted {
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        // Told once, by the first piece.
        Err(error) => return (Count::default(), (start == 0).then_some(("open", error))),
    };
    let mut count = Count::default();
    let mut buffer = vec![0; 64 << 10];
    let read = || -> io::Result<()> {
        if start > 0 {
            file.seek(SeekFrom::Start(start))?;
        }
        let mut piece = file.take(if last { u64::MAX } else { PIECE });
        loop {
            match piece.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => count += Count::of(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    };
    let error = read().err();
    (count, error.map(|error| ("read", error)))
}

/// The lines, each number as wide as the largest could be, and a total of more than one.
fn print(files: &[File], counts: &[Option<Count>], total: bool) -> io::Result<()> {
    let bytes: u64 = files.iter().filter(|file| file.regular).map(|file| file.size).sum();
    let least = if files.iter().all(|file| file.regular) { 1 } else { 7 };
    let width = bytes.to_string().len().max(least);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut line = |count: &Count, name: &[u8]| {
        write!(out, "{:width$} {:width$} {:width$} ", count.lines, count.words(), count.bytes)?;
        out.write_all(name)?;
        out.write_all(b"\n")
    };
    let mut sum = Count::default();
    for (file, count) in files.iter().zip(counts) {
        if let Some(count) = count {
            sum.add_file(count);
            line(count, file.path.as_os_str().as_bytes())?;
        }
    }
    if total {
        line(&sum, b"total")?;
    }
    out.flush()
}

/// How much is done, on a terminal; without one, nothing.
struct Bar {
    terminal: bool,
    percent: usize,
}

impl Bar {
    fn new() -> Bar {
        Bar { terminal: io::stderr().is_terminal(), percent: 0 }
    }

    fn show(&mut self, done: usize, total: usize) -> io::Result<()> {
        let percent = 100 * done / total;
        if !self.terminal || percent == self.percent {
            return Ok(());
        }
        self.percent = percent;
        let (full, empty) = ("#".repeat(percent / 5), ".".repeat(20 - percent / 5));
        write!(io::stderr(), "\r[{full}{empty}] {percent:3} %")
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.terminal && self.percent > 0 {
            // Back to the start of the line, and clear it.
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
