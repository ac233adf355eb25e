use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Tally;
use super::plan::{BATCH, FILES, Plan};

/// Some pieces of files with what is in them: a task for a worker that can't see the files.
///
/// Unlike a [`Batch`](super::Batch), which only names its pieces, it is as large as they are: a mebibyte at most.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Contents {
    pieces: Vec<Piece>,
    /// How many bytes of files are in it.
    pub bytes: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Piece {
    /// Which one it is, and whether it could be read. Nothing is counted yet.
    tally: Tally,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

impl Contents {
    /// Counts what is in it.
    pub fn count(&self) -> Vec<Tally> {
        let count = |piece: &Piece| {
            let mut tally = piece.tally;
            tally.update(&piece.bytes);
            tally
        };
        self.pieces.iter().map(count).collect()
    }
}

impl Plan {
    /// The job in tasks that have the files' contents with them. A file is read when its turn comes, to its end,
    /// wherever that is by then, and whatever kind of file it is.
    pub fn contents(&self) -> impl Iterator<Item = Contents> + use<> {
        let files = (0..).zip(&self.files).filter(|(_, found)| found.error.is_none());
        let files: Vec<_> = files.map(|(number, found)| (number, found.path.clone())).collect();
        Reading { files: files.into_iter(), open: None }
    }
}

/// Files that are read one after the other.
struct Reading {
    files: std::vec::IntoIter<(u32, PathBuf)>,
    /// The one that is not read to its end yet, and the piece that comes next.
    open: Option<(File, Tally)>,
}

impl Reading {
    /// The next piece, of so many bytes at most.
    fn piece(&mut self, room: u64) -> Option<Piece> {
        let mut bytes = Vec::new();
        let (file, mut tally) = match self.open.take() {
            Some(open) => open,
            None => {
                let (number, path) = self.files.next()?;
                let mut tally = Tally::of(number, 0);
                match File::open(path) {
                    Ok(file) => {
                        tally.opened = true;
                        (file, tally)
                    }
                    Err(error) => {
                        tally.error = number_of(&error);
                        return Some(Piece { tally, bytes });
                    }
                }
            }
        };
        match (&file).take(room).read_to_end(&mut bytes) {
            // The last piece ended where the file does.
            Ok(0) if tally.piece > 0 => return self.piece(room),
            Ok(len) if len as u64 == room => {
                let mut next = Tally::of(tally.file, tally.piece + 1);
                next.opened = true;
                self.open = Some((file, next));
            }
            Ok(_) => {}
            // What was read before it counts.
            Err(error) => tally.error = number_of(&error),
        }
        Some(Piece { tally, bytes })
    }
}

impl Iterator for Reading {
    type Item = Contents;

    fn next(&mut self) -> Option<Contents> {
        let mut contents = Contents::default();
        while contents.bytes < BATCH && contents.pieces.len() < FILES {
            let Some(piece) = self.piece(BATCH - contents.bytes) else { break };
            contents.bytes += piece.bytes.len() as u64;
            contents.pieces.push(piece);
        }
        (!contents.pieces.is_empty()).then_some(contents)
    }
}

fn number_of(error: &io::Error) -> Option<i32> {
    error.raw_os_error().or(Some(0))
}
