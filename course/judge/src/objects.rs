//! System V and POSIX objects: which of them are the program's, and their removal.
//!
//! In an IPC namespace all that there are. Without one, names are everybody's: other programs, other
//! runs of the judge beside this one make and remove theirs meanwhile. Then an object counts only if
//! it is known to be the program's: the kernel notes who made a shared memory segment and who used a
//! message queue; and a POSIX name, while it is new, is held by who made it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::census::Census;
use crate::folder;
use crate::proc::Stat;

const FOLDERS: [&str; 2] = ["/dev/shm", "/dev/mqueue"];

pub(crate) struct Objects {
    /// Whether there can be none but the program's.
    alone: bool,
    system_v: BTreeSet<(String, i64)>,
    before: BTreeSet<PathBuf>,
    ours: BTreeSet<PathBuf>,
    folder: PathBuf,
    crowd: bool,
}

/// A line of /proc/sysvipc: kind, id, and the pids in it.
type SystemV = (String, i64, Vec<i32>);

impl Objects {
    pub(crate) fn before(alone: bool, folder: &Path) -> Objects {
        let mut objects = Objects {
            alone,
            system_v: BTreeSet::new(),
            before: BTreeSet::new(),
            ours: BTreeSet::new(),
            folder: folder.to_owned(),
            crowd: false,
        };
        if !alone {
            objects.system_v = system_v().into_iter().map(|(kind, id, _)| (kind, id)).collect();
            objects.before = names();
            objects.crowd = objects.is_crowded();
        }
        objects
    }

    /// Whether another run is going on: what nobody holds may then be that one's.
    fn is_crowded(&self) -> bool {
        let entries = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
        let mut runs = entries.filter(|entry| {
            entry.file_name().to_string_lossy().starts_with(folder::PREFIX)
                && entry.path() != self.folder
                // One whose guardian was killed stays.
                && entry.metadata().and_then(|it| it.modified()).is_ok_and(is_recent)
        });
        runs.next().is_some()
    }

    /// While the program runs: if there are new names, who holds them?
    pub(crate) fn look(&mut self, stats: &[Stat]) {
        if self.alone {
            return;
        }
        let new: Vec<PathBuf> = names().difference(&self.before).cloned().collect();
        self.crowd |= !new.is_empty() && self.is_crowded();
        for path in new {
            if !self.ours.contains(&path) && stats.iter().any(|stat| holds(stat.pid, &path)) {
                self.ours.insert(path);
            }
        }
    }

    /// What of the program's is there still, in words; and removes it.
    pub(crate) fn remove(mut self, census: &Census) -> (Vec<String>, Vec<String>) {
        let (mut left, mut trouble) = (Vec::new(), Vec::new());
        self.crowd |= !self.alone && self.is_crowded();
        for (kind, id, users) in system_v() {
            let ours = self.alone || users.into_iter().any(|pid| census.knows(pid));
            if ours && !self.system_v.contains(&(kind.clone(), id)) {
                left.push(format!("System V {kind} {id}"));
                // The namespace takes its own with it.
                if !self.alone {
                    trouble.extend(remove_system_v(&kind, id));
                }
            }
        }
        for path in names().difference(&self.before) {
            if self.alone || self.ours.contains(path) || !self.crowd {
                left.push(path.display().to_string());
                if let Err(error) = fs::remove_file(path) {
                    trouble.push(format!("{} can't be removed: {error}", path.display()));
                }
            }
        }
        (left, trouble)
    }
}

fn is_recent(time: SystemTime) -> bool {
    time.elapsed().is_ok_and(|age| age < Duration::from_secs(3600))
}

fn system_v() -> Vec<SystemV> {
    let mut objects = Vec::new();
    // Which fields are pids. Of a semaphore set the kernel tells none.
    for (kind, pids) in [("shm", [4, 5].as_slice()), ("msg", &[5, 6]), ("sem", &[])] {
        let table = fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            let fields: Vec<i64> =
                line.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
            let pid = |index: &usize| fields.get(*index).and_then(|it| i32::try_from(*it).ok());
            let users = pids.iter().filter_map(pid).filter(|&pid| pid != 0).collect();
            objects.push((kind.to_owned(), fields.get(1).copied().unwrap_or(-1), users));
        }
    }
    objects
}

fn remove_system_v(kind: &str, id: i64) -> Option<String> {
    let option = match kind {
        "shm" => "-m",
        "msg" => "-q",
        _ => "-s",
    };
    let mut command = Command::new("ipcrm");
    command.arg(option).arg(id.to_string()).stdin(Stdio::null()).stdout(Stdio::null());
    let failed = match command.stderr(Stdio::null()).status() {
        Ok(status) if status.success() => return None,
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    Some(format!("System V {kind} {id} can't be removed with ipcrm: {failed}"))
}

fn names() -> BTreeSet<PathBuf> {
    let entries = FOLDERS.into_iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
    entries.flatten().map(|entry| entry.path()).collect()
}

/// Whether a process has that file open or mapped.
fn holds(pid: i32, path: &Path) -> bool {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let mut open = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    let maps = || fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
    let name = path.as_os_str().as_encoded_bytes();
    open.any(|target| target == path)
        || maps().split(|&byte| byte == b'\n').any(|line| line.ends_with(name))
}
