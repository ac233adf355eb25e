use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::parent_id;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::SFlag;

use crate::PrivateFd;
use crate::child::{ended, pidfd_open};

/// The holder's end of a lifeline: while it is open, the child at the other end may live.
///
/// Unlike `PR_SET_PDEATHSIG`, which watches the *thread* that forked and so kills the child when
/// that thread ends, it watches the process: the kernel closes it at the holder's end, whatever the
/// end was, `SIGKILL` included. Dropping it cuts it too.
#[derive(Debug)]
pub struct Lifeline {
    _held: PrivateFd,
}

/// The child's end of a lifeline.
#[derive(Debug)]
pub struct Tether(OwnedFd);

/// A new lifeline. Hand the second part to a child with [`fork_handing`](crate::fork_handing), or
/// to a program across `exec`, and call [`Tether::die_when_cut`] there.
///
/// # Errors
///
/// `EMFILE` or `ENFILE` when no descriptor is left.
pub fn lifeline() -> io::Result<(Lifeline, PrivateFd)> {
    let [tether, held] = PrivateFd::pipe()?;
    Ok((Lifeline { _held: held }, tether))
}

impl From<OwnedFd> for Tether {
    fn from(fd: OwnedFd) -> Tether {
        Tether(fd)
    }
}

impl AsFd for Tether {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Tether {
    /// From now on the kernel sends this process `SIGKILL` when the lifeline is cut. If it is cut
    /// already, that happens before this returns.
    ///
    /// No thread and no signal handler is needed: the pipe itself sends the signal
    /// (`O_ASYNC`, with `F_SETSIG`). The descriptor stays open for the life of the process.
    ///
    /// # Errors
    ///
    /// `EINVAL` when the descriptor is not the reading end of a pipe.
    ///
    /// Source: [fcntl(2)](https://man7.org/linux/man-pages/man2/fcntl.2.html), "Managing signals".
    pub fn die_when_cut(self) -> io::Result<()> {
        let fd = self.0.as_raw_fd();
        // Other files would take the orders and send no signal, or one at any input.
        let end =
            SFlag::from_bits_truncate(nix::sys::stat::fstat(&self.0)?.st_mode) & SFlag::S_IFMT;
        let mode = fcntl(&self.0, FcntlArg::F_GETFL)? & libc::O_ACCMODE;
        if end != SFlag::S_IFIFO || mode != libc::O_RDONLY {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let me = std::process::id().cast_signed();
        for (command, value) in [
            (libc::F_SETOWN, me),
            (F_SETSIG, libc::SIGKILL),
            (libc::F_SETFL, libc::O_RDONLY | libc::O_ASYNC),
        ] {
            // SAFETY: these commands take an integer and touch no memory of ours.
            if unsafe { libc::fcntl(fd, command, value) } == -1 {
                return Err(io::Error::last_os_error());
            }
        }
        // Cut before it was armed: no signal comes any more, but the pipe shows its end.
        let mut end = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        while let Err(error) = poll(&mut end, PollTimeout::ZERO) {
            if error != Errno::EINTR {
                return Err(error.into());
            }
        }
        if end[0].revents().is_some_and(|seen| seen.contains(PollFlags::POLLHUP)) {
            nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL)?;
        }
        // Never closed, and nothing to this process's own children.
        let [tether] = PrivateFd::open(|| Ok([self.0]))?;
        let _kept = ManuallyDrop::new(tether);
        Ok(())
    }
}

/// A descriptor that becomes readable, for poll(2), when the parent of this process ends.
///
/// Unlike a [`Tether`], which ends this process too, it only tells. `pid` is the parent's as this
/// process knew it at its start: if that is not its parent any more, then the parent has ended,
/// and the descriptor is readable from the start.
///
/// # Errors
///
/// `EMFILE` or `ENFILE` when no descriptor is left.
///
/// ```
/// let watched = fork::watch_parent(std::os::unix::process::parent_id().cast_signed())?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Source: [pidfd_open(2)](https://man7.org/linux/man-pages/man2/pidfd_open.2.html).
pub fn watch_parent(pid: i32) -> io::Result<PrivateFd> {
    let [watched] = PrivateFd::open(|| {
        let opened = pidfd_open(pid);
        // Asked afterwards: as long as it is our parent, its number was nobody else's.
        Ok([if parent_id() == pid.cast_unsigned() { opened? } else { ended()? }])
    })?;
    Ok(watched)
}

/// Which signal `O_ASYNC` sends; `<fcntl.h>` has it, the libc crate not for every target.
const F_SETSIG: libc::c_int = 10;
