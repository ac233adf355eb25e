use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::sleep::{Ended, Wait};

/// Waits until at least one of several things is ready, and gives the numbers of those that are;
/// none when the time is over.
///
/// A thing is a descriptor: of a connection (a whole message, or the end), a sentinel (the process
/// has ended), a listening socket, anything for poll(2). It is Python's
/// `multiprocessing.connection.wait`.
///
/// ```
/// use std::time::Duration;
///
/// let (sender, receiver) = ipc::pipe::<u64>()?;
/// let child = ipc::fork_with(sender, |_sender| 0)?;
/// let things = [receiver.fd()?, child.sentinel()?];
/// let ready = ipc::wait(&things, Duration::from_secs(10))?;
/// assert!(!ready.is_empty()); // the end of the pipe, the end of the child, or both
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `EINVAL` for more things than a process may have open.
///
/// Source: [poll(2)](https://man7.org/linux/man-pages/man2/poll.2.html).
pub fn wait<'a>(things: &[BorrowedFd<'a>], wait: impl Into<Wait<'a>>) -> io::Result<Vec<usize>> {
    let mut fds: Vec<_> =
        things.iter().map(|&thing| PollFd::new(thing, PollFlags::POLLIN)).collect();
    poll_within(&mut fds, &wait.into())?;
    Ok(fds.iter().enumerate().filter(|(_, fd)| is_ready(fd)).map(|(index, _)| index).collect())
}

/// Waits until this one is ready.
pub(crate) fn until_ready(
    fd: BorrowedFd<'_>,
    what: PollFlags,
    wait: &Wait<'_>,
) -> Result<(), Ended> {
    let mut fds = vec![PollFd::new(fd, what)];
    // Whatever an error of poll(2) is, the call that follows tells it.
    match poll_within(&mut fds, wait) {
        Ok(()) if !is_ready(&fds[0]) => Err(wait.ended().unwrap_or(Ended::TimedOut)),
        _ => Ok(()),
    }
}

/// What a descriptor says at this moment, without waiting.
pub(crate) fn seen(fd: BorrowedFd<'_>, wanted: PollFlags) -> io::Result<PollFlags> {
    let mut fds = [PollFd::new(fd, wanted)];
    while let Err(error) = poll(&mut fds, PollTimeout::ZERO) {
        if error != Errno::EINTR {
            return Err(error.into());
        }
    }
    Ok(fds[0].revents().unwrap_or(PollFlags::empty()))
}

fn is_ready(fd: &PollFd<'_>) -> bool {
    fd.revents().is_some_and(|seen| !seen.is_empty())
}

/// Waits until one of them is ready, or the wait is over; a signal that arrives meanwhile changes
/// nothing. The process that the wait depends on is watched along with them.
fn poll_within<'a>(fds: &mut Vec<PollFd<'a>>, wait: &Wait<'a>) -> io::Result<()> {
    let things = fds.len();
    fds.extend(wait.peer.map(|peer| PollFd::new(peer, PollFlags::POLLIN)));
    loop {
        let left = wait.left();
        // Rounded up: a poll that returns a fraction early would make this loop spin.
        let millis = i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
        let timeout = match left {
            Duration::MAX => PollTimeout::NONE,
            _ => PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX),
        };
        match poll(fds, timeout) {
            Ok(0) if !wait.left().is_zero() => {}
            Ok(_) => break,
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    fds.truncate(things);
    Ok(())
}
