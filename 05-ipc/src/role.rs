use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use fork::PrivateFd;
use nix::fcntl::OFlag;
use nix::poll::PollFlags;

use crate::Ring;
use crate::handover::{next, private};
use crate::memory::invalid;
use crate::ready::seen;

/// The ring, and one end of a pipe that nothing is ever written to: by it the kernel counts who is
/// there, and whoever has the other end can ask. Nobody has to sign off, so a kill is no exception.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub ring: Arc<Ring>,
    /// `None` only while it is dropped.
    role: Option<Role>,
}

/// Those who put have the pipe's end to write, those who get the one to read.
#[derive(Debug, Clone)]
enum Role {
    /// In one process.
    Private(Arc<PrivateFd>),
    /// In forked children too.
    Inherited(Arc<OwnedFd>),
}

impl Role {
    fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        match self {
            Role::Private(fd) => fd.fd(),
            Role::Inherited(fd) => Ok(fd.as_fd()),
        }
    }
}

impl End {
    /// The end to put and the end to get, both inherited by forked children.
    pub(crate) fn pair(ring: Ring) -> io::Result<(End, End)> {
        let ring = Arc::new(ring);
        let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        let end = |fd| End { ring: ring.clone(), role: Some(Role::Inherited(Arc::new(fd))) };
        Ok((end(write), end(read)))
    }

    /// From now on no forked child inherits it.
    pub(crate) fn make_private(&mut self) -> io::Result<()> {
        self.role = Some(Role::Private(Arc::new(private(self.role()?)?)));
        Ok(())
    }

    /// From now on forked children inherit it.
    pub(crate) fn make_inherited(&mut self) -> io::Result<()> {
        self.role = Some(Role::Inherited(Arc::new(self.role()?.try_clone_to_owned()?)));
        Ok(())
    }

    /// An error if it was not handed to this process.
    pub(crate) fn role(&self) -> io::Result<BorrowedFd<'_>> {
        self.role.as_ref().ok_or_else(invalid)?.fd()
    }

    /// Whether nobody has the other end any more.
    pub(crate) fn others_are_gone(&self) -> bool {
        // At the end to read that is a hang-up, at the end to write an error; neither is asked for.
        let gone = self.role().and_then(|fd| seen(fd, PollFlags::empty()));
        gone.is_ok_and(|seen| seen.intersects(PollFlags::POLLHUP | PollFlags::POLLERR))
    }

    pub(crate) fn to_fds(&self) -> io::Result<Vec<PrivateFd>> {
        Ok(vec![private(self.ring.fd())?, private(self.role()?)?])
    }

    pub(crate) fn from_fds(fds: &mut dyn Iterator<Item = OwnedFd>) -> io::Result<End> {
        let ring = Arc::new(Ring::from_fd(next(fds)?)?);
        let role = next(fds)?;
        let [role] = PrivateFd::open(|| Ok([role]))?;
        Ok(End { ring, role: Some(Role::Private(Arc::new(role))) })
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // It may be the last of its kind: who sleeps at the other end looks, after it was closed.
        drop(self.role.take());
        self.ring.ring_all();
    }
}
