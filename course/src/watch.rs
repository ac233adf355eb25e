//! `cargo course watch`: checks again at each save.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::check::{self, Outcome};
use crate::exercises::{self, Exercise};
use crate::list;
use crate::page::Page;
use crate::progress::Progress;
use crate::stop::Stop;
use crate::workspace::Workspace;

/// How often it looks at the file where the kernel tells nothing of changes, as on a drive of Windows under WSL.
const LOOK: u16 = 200;

/// Checks the answer now and whenever it changes, and goes on to the next exercise when it has passed. Ends with
/// Ctrl-C, or when all have passed.
///
/// # Errors
///
/// As [`check::check`].
pub(crate) fn watch(
    page: &mut Page,
    workspace: &Workspace,
    progress: &mut Progress,
    first: Exercise,
) -> Result<(), Stop> {
    let mut exercise = first;
    loop {
        let eye = Eye::on(&exercise.folder);
        // Looked at before the check: what is saved while it runs is checked again.
        let mut seen = state(&exercise.answer());
        while check::check(page, workspace, progress, &exercise)? != Outcome::Passed {
            page.raw("\nWatching: it is checked again when you save it. Ctrl-C ends this.\n")?;
            while state(&exercise.answer()) == seen {
                eye.wait();
            }
            seen = state(&exercise.answer());
            page.raw("\n")?;
        }
        match exercises::next(workspace, progress) {
            Some(next) => {
                // Looked at before it is shown: who knows the answer already may save it at once.
                let (eye, seen) = (Eye::on(&next.folder), state(&next.answer()));
                page.raw("\n")?;
                list::task(page, workspace, &next)?;
                while state(&next.answer()) == seen {
                    eye.wait();
                }
                exercise = next;
            }
            None => return Ok(()),
        }
    }
}

/// What changes when somebody saves: an editor may write the file or put another in its place.
fn state(path: &Path) -> Option<(SystemTime, u64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// Sees changes in a folder, where the kernel can tell of them.
struct Eye(Option<Inotify>);

impl Eye {
    fn on(folder: &Path) -> Eye {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok();
        let events = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO;
        Eye(inotify.filter(|inotify| inotify.add_watch(folder, events).is_ok()))
    }

    /// Waits for a change, or until it is time for another look.
    fn wait(&self) {
        match &self.0 {
            Some(inotify) => {
                use std::os::fd::AsFd;
                let mut fds = [PollFd::new(inotify.as_fd(), PollFlags::POLLIN)];
                let _ = poll(&mut fds, PollTimeout::from(LOOK));
                // What happened does not matter, only that it did: the file is looked at anyway.
                while !matches!(inotify.read_events(), Err(Errno::EAGAIN | Errno::EINVAL)) {}
            }
            None => {
                let _ = poll(&mut [], PollTimeout::from(LOOK));
            }
        }
    }
}
