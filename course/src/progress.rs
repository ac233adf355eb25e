//! What the learner has done so far, in one small text file.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use crate::lessons::Lesson;
use crate::workspace::Workspace;

/// What the learner has done: a line of text for each thing, only ever added to, so nothing is lost if the desk is
/// killed while it writes, or if a newer course wrote lines that this one does not know.
#[derive(Debug)]
pub(crate) struct Progress {
    path: PathBuf,
    text: String,
}

impl Progress {
    /// Reads it. A file that is not there or can't be read is a learner at the beginning.
    pub(crate) fn load(workspace: &Workspace) -> Self {
        let path = env::var_os("COURSE_PROGRESS")
            .map_or_else(|| workspace.root().join("progress.txt"), PathBuf::from);
        let text = fs::read_to_string(&path).unwrap_or_default();
        Self { path, text }
    }

    /// Whether the lesson's demos were played to the end.
    pub(crate) fn played(&self, lesson: &Lesson) -> bool {
        self.text.lines().any(|line| line == entry(lesson))
    }

    /// Remembers that they were.
    ///
    /// # Errors
    ///
    /// That of the file: the folder may be read-only.
    pub(crate) fn note_played(&self, lesson: &Lesson) -> io::Result<()> {
        if self.played(lesson) {
            return Ok(());
        }
        let mut file = OpenOptions::new().append(true).create(true).open(&self.path)?;
        file.write_all(format!("{}\n", entry(lesson)).as_bytes())
    }
}

fn entry(lesson: &Lesson) -> String {
    format!("played {}", lesson.name)
}
