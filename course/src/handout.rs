//! `cargo course handout`: the course as learners get it.

use std::fs;
use std::path::{Component, Path};
use std::process::{Command, Stdio};

use crate::page::Page;
use crate::stop::Stop;
use crate::workspace::Workspace;

/// Copies the course into a new folder: without solutions, without the answers that prove the checks, without private
/// checks, and with every answer as it was given. It builds, runs and checks as it is.
///
/// # Errors
///
/// [`Stop::Usage`] if the folder has something in it; [`Stop::Failed`] if a file can't be copied.
pub(crate) fn handout(page: &mut Page, workspace: &Workspace, folder: &Path) -> Result<(), Stop> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let text = format!("{} is not empty: name a new folder", folder.display());
        return Err(Stop::Usage(text));
    }
    refresh(workspace, folder)?;
    page.raw(&format!("{} is ready. In it, `cargo course` opens the course.\n", folder.display()))?;
    Ok(())
}

/// Makes the folder what a handout would be. A file that is so already is not touched, and neither is what was built.
///
/// # Errors
///
/// [`Stop::Failed`] if a file can't be copied.
pub(crate) fn refresh(workspace: &Workspace, folder: &Path) -> Result<(), Stop> {
    let files = files(workspace.root())?;
    let mut old = Vec::new();
    // Without a folder there is nothing old.
    let _ = walk(folder, Path::new(""), &mut old);
    for file in old.iter().filter(|old| !files.contains(old) || is_secret(Path::new(old))) {
        fs::remove_file(folder.join(file))
            .map_err(|error| Stop::Failed(format!("cannot remove {file}: {error}")))?;
    }
    for file in files.iter().map(Path::new).filter(|file| !is_secret(file)) {
        let to = folder.join(file);
        // Every answer as it was given.
        let from = match is_answer(file) {
            true => file.with_file_name("stub.rs"),
            false => file.to_owned(),
        };
        copy(&workspace.root().join(from), &to).map_err(|error| {
            Stop::Failed(format!("cannot copy {} to {}: {error}", file.display(), to.display()))
        })?;
    }
    Ok(())
}

/// What no learner gets. The proofs go, too: they are made of the solutions.
fn is_secret(file: &Path) -> bool {
    let names: Vec<&str> = file
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    match names.as_slice() {
        [_, "exercises", _, file] => *file == "solution.rs" || file.starts_with("answer.kept-"),
        [_, "exercises", _, folder, ..] => ["wrong", "right", "private"].contains(folder),
        [_, "tests", "exercises.rs"] => true,
        ["progress.txt"] => true,
        _ => false,
    }
}

/// The course's files: what git knows; without git, all but what cargo builds.
fn files(root: &Path) -> Result<Vec<String>, Stop> {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .stderr(Stdio::null())
        .output();
    if let Ok(listed) = listed
        && listed.status.success()
        && !listed.stdout.is_empty()
    {
        let names = String::from_utf8_lossy(&listed.stdout).into_owned();
        let there = names.split_terminator('\0').filter(|name| root.join(name).is_file());
        return Ok(there.map(str::to_owned).collect());
    }
    let mut found = Vec::new();
    walk(root, Path::new(""), &mut found)
        .map_err(|error| Stop::Failed(format!("cannot read {}: {error}", root.display())))?;
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let (name, kind) = (folder.join(entry.file_name()), entry.file_type()?);
        if kind.is_dir() && !["target", ".git"].contains(&&*entry.file_name().to_string_lossy()) {
            walk(root, &name, found)?;
        } else if kind.is_file() {
            found.push(name.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

fn is_answer(file: &Path) -> bool {
    file.ends_with("answer.rs") && file.components().any(|part| part.as_os_str() == "exercises")
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::read(to).is_ok_and(|there| fs::read(from).is_ok_and(|wanted| wanted == there)) {
        return Ok(());
    }
    fs::copy(from, to).map(drop)
}
