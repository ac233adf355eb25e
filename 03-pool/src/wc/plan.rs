use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

/// All files of a job, in the order in which they are printed.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub(super) files: Vec<Found>,
}

#[derive(Debug, Clone)]
pub(super) struct Found {
    pub path: PathBuf,
    /// `None` if it is no regular file, or can't be looked at.
    pub size: Option<u64>,
    /// It is there, and no regular file.
    pub special: bool,
    /// A directory that can't be read: there is nothing to count, and this to say.
    pub error: Option<i32>,
}

/// Some pieces of files: a task, worth about a mebibyte of reading.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Batch {
    pub(super) pieces: Vec<Piece>,
    /// About how many bytes there are to read, for a progress bar.
    pub bytes: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Piece {
    pub file: u32,
    pub number: u32,
    #[serde(with = "serde_bytes")]
    pub path: Vec<u8>,
    pub start: u64,
    /// Without one it is read to its end, wherever that is by then.
    pub len: Option<u64>,
}

/// A file is cut into pieces of this size, so that a large one doesn't hold up the end of the job.
const PIECE: u64 = 4 << 20;
/// Small files go together, until they are this large, or this many.
pub(super) const BATCH: u64 = 1 << 20;
pub(super) const FILES: usize = 64;

impl Plan {
    /// Finds the files. What is no directory is taken as it is, like an argument of `wc`; of a
    /// directory all regular files in and below it, as `find PATH -type f | LC_ALL=C sort` has them:
    /// symbolic links are not followed.
    pub fn new<P: Into<PathBuf>>(paths: impl IntoIterator<Item = P>) -> Plan {
        let mut plan = Plan::default();
        for path in paths {
            let path = path.into();
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {
                    let start = plan.files.len();
                    plan.walk(path);
                    let name = |found: &Found| found.path.as_os_str().as_bytes().to_vec();
                    plan.files[start..].sort_by_cached_key(name);
                }
                Ok(metadata) => {
                    let size = metadata.is_file().then_some(metadata.len());
                    plan.files.push(Found { path, size, special: size.is_none(), error: None });
                }
                Err(_) => {
                    plan.files.push(Found { path, size: None, special: false, error: None });
                }
            }
        }
        plan
    }

    fn walk(&mut self, directory: PathBuf) {
        let mut directories = vec![directory];
        while let Some(directory) = directories.pop() {
            let unread = |error: &io::Error| {
                let (path, error) = (directory.clone(), error.raw_os_error().or(Some(0)));
                Found { path, size: None, special: false, error }
            };
            let entries = match fs::read_dir(&directory) {
                Ok(entries) => entries,
                Err(error) => {
                    self.files.push(unread(&error));
                    continue;
                }
            };
            for entry in entries {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(error) => {
                        self.files.push(unread(&error));
                        break;
                    }
                };
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => directories.push(path),
                    Ok(kind) if kind.is_file() => {
                        let size = entry.metadata().ok().map(|metadata| metadata.len());
                        self.files.push(Found { path, size, special: false, error: None });
                    }
                    _ => {}
                }
            }
        }
    }

    /// How many files there are to count.
    pub fn len(&self) -> usize {
        self.files.iter().filter(|found| found.error.is_none()).count()
    }

    /// Whether there is nothing to count.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes there are to count, as far as that can be known before.
    pub fn bytes(&self) -> u64 {
        self.files.iter().filter_map(|found| found.size).sum()
    }

    /// The job, in tasks.
    pub fn batches(&self) -> Vec<Batch> {
        let (mut batches, mut batch) = (Vec::new(), Batch::default());
        for (file, found) in (0..).zip(&self.files).filter(|(_, found)| found.error.is_none()) {
            let size = found.size.unwrap_or(0);
            let pieces = size.div_ceil(PIECE).max(1);
            for number in 0..pieces {
                let start = number * PIECE;
                let last = number == pieces - 1;
                let len = (!last).then_some(PIECE);
                let path = bytes_of(&found.path);
                batch.pieces.push(Piece { file, number: number as u32, path, start, len });
                batch.bytes += PIECE.min(size - start);
                if batch.bytes >= BATCH || batch.pieces.len() >= FILES {
                    batches.push(std::mem::take(&mut batch));
                }
            }
        }
        if !batch.pieces.is_empty() {
            batches.push(batch);
        }
        batches
    }
}

fn bytes_of(path: &Path) -> Vec<u8> {
    OsString::from(path).into_vec()
}
