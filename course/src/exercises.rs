//! The exercises on the disk, and which one a learner means.

use std::fs;
use std::path::PathBuf;

use crate::choose;
use crate::lessons::Lesson;
use crate::progress::Progress;
use crate::stop::Stop;
use crate::workspace::Workspace;

/// One exercise: a folder of a lesson.
#[derive(Debug, Clone)]
pub(crate) struct Exercise {
    pub(crate) lesson: &'static Lesson,
    /// The folder's name, `1-exit-code`; the cargo target's, too.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
}

impl Exercise {
    /// What it is called everywhere, and for ever: progress is kept under it.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.lesson.name, self.name)
    }

    /// As short as it can be typed.
    pub(crate) fn short(&self) -> String {
        format!("{}/{}", self.lesson.name, self.number())
    }

    fn number(&self) -> &str {
        self.name.split('-').next().unwrap_or_default()
    }

    /// The one file that the learner edits.
    pub(crate) fn answer(&self) -> PathBuf {
        self.folder.join("answer.rs")
    }

    /// What it asks for: the first line of its task, without its number.
    pub(crate) fn title(&self) -> String {
        let task = fs::read_to_string(self.folder.join("task.md")).unwrap_or_default();
        let title = task.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(&self.name);
        title.to_owned()
    }

    /// A file of it, as text.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it can't be read.
    pub(crate) fn read(&self, file: &str) -> Result<String, Stop> {
        let path = self.folder.join(file);
        fs::read_to_string(&path)
            .map_err(|error| Stop::Failed(format!("cannot read {}: {error}", path.display())))
    }
}

/// A lesson's exercises, in order; none where it has none.
pub(crate) fn of(workspace: &Workspace, lesson: &'static Lesson) -> Vec<Exercise> {
    let folder = workspace.root().join(lesson.folder()).join("exercises");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<Exercise> = entries
        .filter(|entry| entry.path().join("task.md").is_file())
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some(Exercise { lesson, name, folder: entry.path() })
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// All exercises, in the order of the lessons.
pub(crate) fn all(workspace: &Workspace) -> Vec<Exercise> {
    workspace.lessons().flat_map(|lesson| of(workspace, lesson)).collect()
}

/// The first that has not passed.
pub(crate) fn next(workspace: &Workspace, progress: &Progress) -> Option<Exercise> {
    all(workspace).into_iter().find(|exercise| !progress.passed(exercise))
}

/// The exercise that a word names (`fork/1`, `fork/exit-code`, `exit-code`, `fork/1-exit-code`, the path of its folder
/// or of its answer), or without a word the next one.
///
/// # Errors
///
/// [`Stop::Usage`] if there is none, or more than one.
pub(crate) fn choose(
    workspace: &Workspace,
    progress: &Progress,
    word: Option<&str>,
) -> Result<Exercise, Stop> {
    let Some(word) = word else {
        return next(workspace, progress).ok_or_else(|| {
            Stop::Usage("all exercises have passed: say which one, `cargo course list`".to_owned())
        });
    };
    let plain = plain(word);
    let all = all(workspace);
    let matches = |exercise: &&Exercise| {
        let (lesson, name) = (exercise.lesson, exercise.name.as_str());
        let bare = name.split_once('-').map_or(name, |(_, bare)| bare);
        let forms = [name, bare, exercise.number()];
        let folders = [lesson.name.to_owned(), lesson.folder(), lesson.number.to_string()];
        plain == bare
            || plain == name
            || folders
                .iter()
                .any(|folder| forms.iter().any(|form| plain == format!("{folder}/{form}")))
    };
    let found: Vec<&Exercise> = all.iter().filter(matches).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(unknown(workspace, &plain, &all)),
        several => {
            let ids: Vec<String> = several.iter().map(|exercise| exercise.id()).collect();
            Err(Stop::Usage(format!("`{word}` may be {}: say which", ids.join(" or "))))
        }
    }
}

/// `01-fork/exercises/1-exit-code/answer.rs`, as a shell completes it, is `01-fork/1-exit-code`.
fn plain(word: &str) -> String {
    let word = word.trim_start_matches("./").trim_end_matches('/').to_lowercase();
    word.trim_end_matches("/answer.rs").replace("/exercises/", "/")
}

fn unknown(workspace: &Workspace, word: &str, all: &[Exercise]) -> Stop {
    // A lesson alone is no exercise; say which it has.
    if let Ok(lesson) = choose::lesson(workspace, word) {
        let ids: Vec<String> = of(workspace, lesson).iter().map(Exercise::id).collect();
        return Stop::Usage(match ids.as_slice() {
            [] => format!("lesson {} has no exercises yet", lesson.name),
            ids => format!("`{word}` is a lesson; its exercises are {}", ids.join(", ")),
        });
    }
    let names: Vec<String> = all.iter().map(Exercise::id).collect();
    match choose::nearest(word, names.iter().map(String::as_str)) {
        Some(name) => Stop::Usage(format!("there is no exercise `{word}`; did you mean {name}?")),
        None => {
            Stop::Usage(format!("there is no exercise `{word}`: `cargo course list` names all"))
        }
    }
}
