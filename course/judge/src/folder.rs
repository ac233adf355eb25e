//! The folder of one run: the specification, what the program's side notes, and the program's
//! temporary directory.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How the folder's name begins, in the system's temporary directory.
pub(crate) const PREFIX: &str = "judge-";

/// What is in the folder.
pub(crate) const SPEC: &str = "spec";
pub(crate) const CHECKS: &str = "checks";
pub(crate) const TROUBLE: &str = "trouble";
pub(crate) const STDIN: &str = "stdin";
pub(crate) const TMP: &str = "tmp";
/// The control groups that were made for the run.
pub(crate) const GROUPS: &str = "groups";
/// What the program's side has to say of the means, a line each.
pub(crate) const MEANS: &str = "means";
/// Of an isolated run: whose namespace it is, the program's pid, its status.
pub(crate) const PLACE: &str = "place";
pub(crate) const PID: &str = "pid";
pub(crate) const STATUS: &str = "status";

/// Makes one that nobody else has. A name built from the pid would come again in another pid
/// namespace with the same /tmp.
pub(crate) fn make() -> io::Result<PathBuf> {
    let folder = nix::unistd::mkdtemp(&std::env::temp_dir().join(format!("{PREFIX}XXXXXX")))?;
    // A scenario may become another user.
    fs::set_permissions(&folder, Permissions::from_mode(0o711))?;
    DirBuilder::new().mode(0o700).create(folder.join(TMP))?;
    fs::set_permissions(folder.join(TMP), Permissions::from_mode(0o1777))?;
    File::create(folder.join(CHECKS))?;
    fs::set_permissions(folder.join(CHECKS), Permissions::from_mode(0o666))?;
    Ok(folder)
}

/// Removes it, also what the program made unreadable.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(folder);
            fs::remove_dir_all(folder)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn open_up(folder: &Path) {
    let _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        // Not through a symbolic link: what it leads to is not the run's.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

/// Writes a file that is read from another process: whole, or not there.
pub(crate) fn publish(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let draft = folder.join(format!("{name}.draft"));
    fs::write(&draft, text)?;
    fs::rename(draft, folder.join(name))
}

/// Adds a line to what the supervisor will say of the means.
pub(crate) fn note(folder: &Path, line: &str) {
    let file = File::options().append(true).create(true).open(folder.join(MEANS));
    let _ = file.and_then(|mut file| writeln!(file, "{line}"));
}
