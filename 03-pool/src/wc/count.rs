use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::AddAssign;
use std::os::unix::ffi::OsStrExt;

use serde::{Deserialize, Serialize};

use super::plan::{Batch, Piece};

/// Lines, words and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Line feeds.
    pub lines: u64,
    /// Runs of characters between white space with a printable one among them.
    pub words: u64,
    /// Bytes.
    pub bytes: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.lines += other.lines;
        self.words += other.words;
        self.bytes += other.bytes;
    }
}

/// What was found in one piece of a file: its counts, and how they go together with its neighbours'.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub(super) file: u32,
    pub(super) piece: u32,
    counts: Counts,
    /// Whether the first byte that decides is part of a word. A byte that is neither printable nor
    /// white space decides nothing.
    first: Option<bool>,
    /// Whether the last one is.
    last: Option<bool>,
    /// The number of the error that opening it or reading on ended with.
    pub(super) error: Option<i32>,
    /// It could be opened, so there is a line for it.
    pub(super) opened: bool,
}

impl Tally {
    /// Of a piece of which nothing is counted yet.
    pub(super) fn of(file: u32, piece: u32) -> Tally {
        Tally { file, piece, ..Tally::default() }
    }

    /// The counts, if it were a file of its own.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes in the bytes that follow.
    pub fn update(&mut self, bytes: &[u8]) {
        let decides = |byte: &&u8| CLASSES[usize::from(**byte)] != OTHER;
        let is_word = |byte: &u8| CLASSES[usize::from(*byte)] == PRINTABLE;
        let mut inside = if self.last == Some(true) { PRINTABLE } else { SPACE };
        self.first = self.first.or_else(|| bytes.iter().find(decides).map(is_word));
        self.last = bytes.iter().rev().find(decides).map(is_word).or(self.last);
        // Without a branch or a call for each byte: this loop is all that the job does.
        let (mut lines, mut words) = (0, 0);
        for &byte in bytes {
            let class = CLASSES[byte as usize];
            lines += (byte == b'\n') as u64;
            words += (class > inside) as u64;
            inside = if class == OTHER { inside } else { class };
        }
        self.counts += Counts { lines, words, bytes: bytes.len() as u64 };
    }

    /// Puts the piece that follows behind this one. A word that the cut went through counts once.
    pub(super) fn join(&mut self, next: &Tally) {
        self.counts += next.counts;
        if self.last == Some(true) && next.first == Some(true) {
            self.counts.words -= 1;
        }
        self.first = self.first.or(next.first);
        self.last = next.last.or(self.last);
        self.error = self.error.or(next.error);
        self.opened |= next.opened;
    }
}

// What the C locale takes a byte for. A word begins where a byte has more than the last that decides.
const OTHER: u8 = 0;
const SPACE: u8 = 1;
const PRINTABLE: u8 = 2;

const CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte = b' ' + 1;
    while byte <= b'~' {
        classes[byte as usize] = PRINTABLE;
        byte += 1;
    }
    let spaces = b" \t\n\x0b\x0c\r";
    let mut at = 0;
    while at < spaces.len() {
        classes[spaces[at] as usize] = SPACE;
        at += 1;
    }
    classes
};

/// Counts the pieces of a batch. What can't be read is no failure of the batch: the tally says so.
pub fn count(batch: Batch) -> Vec<Tally> {
    let mut buffer = vec![0; 64 << 10];
    batch.pieces.iter().map(|piece| count_piece(piece, &mut buffer)).collect()
}

fn count_piece(piece: &Piece, buffer: &mut [u8]) -> Tally {
    let mut tally = Tally::of(piece.file, piece.number);
    if let Err(error) = read(piece, buffer, &mut tally) {
        tally.error = error.raw_os_error().or(Some(0));
    }
    tally
}

fn read(piece: &Piece, buffer: &mut [u8], tally: &mut Tally) -> io::Result<()> {
    let mut file = File::open(OsStr::from_bytes(&piece.path))?;
    tally.opened = true;
    if piece.start > 0 {
        file.seek(SeekFrom::Start(piece.start))?;
    }
    let mut rest = file.take(piece.len.unwrap_or(u64::MAX));
    loop {
        match rest.read(buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => tally.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
