use std::path::{Path, PathBuf};
use std::{fs, io};

/// A file to be counted.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    /// As it was found; zero if that is not known, as in /proc.
    pub(super) size: u64,
    /// A file, and no device or the like.
    pub(super) regular: bool,
}

/// All files below `paths`, of each path in the order of their names, and what could not be looked
/// at. A path that is named is taken as it is; below a folder links are not followed.
pub(super) fn walk(paths: &[PathBuf]) -> (Vec<File>, Vec<(PathBuf, io::Error)>) {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        let first = files.len();
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => below(path, &mut files, &mut errors),
            Ok(metadata) => files.push(file(path.clone(), &metadata)),
            Err(error) => errors.push((path.clone(), error)),
        }
        let name = |file: &File| file.path.clone().into_os_string();
        files[first..].sort_by_cached_key(name);
    }
    (files, errors)
}

fn below(folder: &Path, files: &mut Vec<File>, errors: &mut Vec<(PathBuf, io::Error)>) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let looked = fs::read_dir(&folder).and_then(|entries| {
            for entry in entries {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    // One that has gone since is told when it can't be opened.
                    let size = entry.metadata().map_or(0, |metadata| metadata.len());
                    files.push(File { path: entry.path(), size, regular: true });
                }
            }
            Ok(())
        });
        if let Err(error) = looked {
            errors.push((folder, error));
        }
    }
}

fn file(path: PathBuf, metadata: &fs::Metadata) -> File {
    File { path, size: metadata.len(), regular: metadata.is_file() }
}
