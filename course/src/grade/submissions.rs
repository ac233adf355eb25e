//! The answers in a folder of submissions. Nothing in it is believed: not a name, not a size, not a kind.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::shown;
use crate::exercises::Exercise;
use crate::stop::Stop;

/// More than any answer needs.
const LARGEST: u64 = 256 << 10;
/// Files and folders of one submission that are looked at.
const MOST: usize = 20_000;

/// What one learner handed in.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) learner: String,
    /// By exercise; why it can't be read, if it can't.
    pub(crate) answers: BTreeMap<String, Result<String, String>>,
}

/// Each folder and each zip file in `folder`, in the order of their names.
///
/// # Errors
///
/// [`Stop::Usage`] if it can't be read.
pub(crate) fn of(folder: &Path, exercises: &[Exercise]) -> Result<Vec<Submission>, Stop> {
    let entries = fs::read_dir(folder)
        .map_err(|error| Stop::Usage(format!("cannot read {}: {error}", shown(folder))))?;
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        // A link could lead to another learner's.
        let Ok(kind) = entry.file_type() else { continue };
        let (learner, answers) = if kind.is_dir() {
            (name, in_folder(&path, exercises))
        } else if kind.is_file() && name.to_lowercase().ends_with(".zip") {
            (name[..name.len() - 4].to_owned(), in_zip(&path, exercises))
        } else {
            continue;
        };
        // It goes into tables and terminals.
        let learner = learner.replace(char::is_control, "?");
        found.push(Submission { learner, answers });
    }
    found.sort_by(|a, b| a.learner.cmp(&b.learner));
    Ok(found)
}

/// The exercise whose answer the path is: at the usual place, below whatever folders somebody put around it.
fn whose<'a>(path: &str, exercises: &'a [Exercise]) -> Option<&'a Exercise> {
    let folder = path.strip_suffix("/answer.rs")?;
    exercises.iter().find(|exercise| {
        let usual = format!("{}/exercises/{}", exercise.lesson.folder(), exercise.name);
        folder == usual || folder.ends_with(&format!("/{usual}"))
    })
}

fn text(from: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is no text in UTF-8".to_owned())
}

fn in_folder(root: &Path, exercises: &[Exercise]) -> BTreeMap<String, Result<String, String>> {
    let mut answers = BTreeMap::new();
    let (mut folders, mut seen) = (vec![root.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > MOST {
                return answers;
            }
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) => {
                    let name = path.to_string_lossy();
                    let Some(exercise) = whose(&name, exercises) else { continue };
                    let answer = if kind.is_file() {
                        File::open(&path).map_err(|error| error.to_string()).and_then(text)
                    } else {
                        Err("it is not a plain file".to_owned())
                    };
                    answers.insert(exercise.id(), answer);
                }
                Err(_) => {}
            }
        }
    }
    answers
}

/// Read where it is: nothing is unpacked, so no name in it can lead out of a folder.
fn in_zip(path: &Path, exercises: &[Exercise]) -> BTreeMap<String, Result<String, String>> {
    let mut answers = BTreeMap::new();
    let archive = File::open(path)
        .map_err(|error| error.to_string())
        .and_then(|file| zip::ZipArchive::new(file).map_err(|error| error.to_string()));
    let mut archive = match archive {
        Ok(archive) => archive,
        Err(error) => {
            let why = format!("the zip file can't be read: {error}");
            return exercises.iter().map(|it| (it.id(), Err(why.clone()))).collect();
        }
    };
    for index in 0..archive.len().min(MOST) {
        let Ok(file) = archive.by_index(index) else { continue };
        let Ok(name) = file.name().map(|name| name.replace('\\', "/")) else { continue };
        if let Some(exercise) = whose(&name, exercises) {
            answers.insert(exercise.id(), text(file));
        }
    }
    answers
}
