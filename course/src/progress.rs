//! What the learner has done so far, in one small text file.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use crate::exercises::Exercise;
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
            .filter(|path| !path.is_empty())
            .map_or_else(|| workspace.root().join("progress.txt"), PathBuf::from);
        let text = fs::read_to_string(&path).unwrap_or_default();
        Self { path, text }
    }

    /// Whether the lesson's demos were played to the end.
    pub(crate) fn played(&self, lesson: &Lesson) -> bool {
        self.has(&format!("played {}", lesson.name))
    }

    /// Remembers that they were.
    pub(crate) fn note_played(&mut self, lesson: &Lesson) {
        self.note(format!("played {}", lesson.name));
    }

    /// Whether the exercise's checks have all passed, at some time.
    pub(crate) fn passed(&self, exercise: &Exercise) -> bool {
        self.has(&format!("passed {}", exercise.id()))
    }

    /// Remembers that they have.
    pub(crate) fn note_passed(&mut self, exercise: &Exercise) {
        self.note(format!("passed {}", exercise.id()));
    }

    /// Whether the exercise's `what` was asked for: `hint 2`, say.
    pub(crate) fn asked(&self, exercise: &Exercise, what: &str) -> bool {
        self.has(&format!("asked {} {what}", exercise.id()))
    }

    /// Remembers that it was.
    pub(crate) fn note_asked(&mut self, exercise: &Exercise, what: &str) {
        self.note(format!("asked {} {what}", exercise.id()));
    }

    fn has(&self, entry: &str) -> bool {
        self.text.lines().any(|line| line == entry)
    }

    /// A read-only folder is no reason to spoil the lesson: what can't be written is known until the desk ends.
    fn note(&mut self, entry: String) {
        if self.has(&entry) {
            return;
        }
        let line = entry + "\n";
        let file = OpenOptions::new().append(true).create(true).open(&self.path);
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
        self.text.push_str(&line);
    }
}
