use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::lock::generation;

/// The numbers of all descriptors that a forked child must close.
///
/// A plain list: a child goes on with it as it is, and neither takes memory nor gives any back.
/// Each page of the allocator that it wrote to for that would be copied first.
#[unsafe(link_section = ".data")]
static REGISTRY: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

/// A file descriptor that children forked by this library do not keep.
///
/// Unlike an [`OwnedFd`], which every forked child inherits (close-on-exec helps at an `exec`
/// only), it is closed in each child before the child's closure runs. Without that a pipe's reader
/// waits for an end of file that never comes, since a sibling forked later still holds the write
/// end, and the hundredth child starts with a hundred descriptors of its siblings.
///
/// In a child the value itself may still exist, captured by the closure: there it owns nothing, and
/// [`fd`](PrivateFd::fd) is an error. [`fork_handing`](crate::fork_handing) gives one to a child.
#[derive(Debug)]
pub struct PrivateFd {
    /// `None` once it was closed, or given away.
    fd: Option<OwnedFd>,
    /// The process that owns it; elsewhere the number may mean another file by now.
    generation: u32,
}

impl PrivateFd {
    /// Takes the descriptors that `make` opens.
    ///
    /// No fork of another thread can fall between the opening and the registration: all of them
    /// wait while `make` runs. So it opens, and does nothing else: it would wait for itself if it
    /// forked or opened another one.
    ///
    /// # Errors
    ///
    /// Whatever `make` fails with.
    pub fn open<const N: usize>(
        make: impl FnOnce() -> io::Result<[OwnedFd; N]>,
    ) -> io::Result<[PrivateFd; N]> {
        let mut registry = Registry::hold();
        let fds = make()?;
        Ok(fds.map(|fd| {
            registry.0.push(fd.as_raw_fd());
            PrivateFd { fd: Some(fd), generation: generation() }
        }))
    }

    /// A pipe, close-on-exec: the end to read and the end to write.
    ///
    /// # Errors
    ///
    /// `EMFILE` or `ENFILE` when no descriptor is left.
    ///
    /// Source: [pipe2(2)](https://man7.org/linux/man-pages/man2/pipe.2.html).
    pub fn pipe() -> io::Result<[PrivateFd; 2]> {
        PrivateFd::open(|| {
            let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
            Ok([read, write])
        })
    }

    /// The descriptor. Borrow it on the side of the fork where you use it: a borrow that was taken
    /// before, and is captured by the child's closure, is the number of a closed file there.
    ///
    /// # Errors
    ///
    /// `EBADF` in a child of the process that opened it.
    #[inline]
    pub fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        match &self.fd {
            Some(fd) if self.generation == generation() => Ok(fd.as_fd()),
            _ => Err(io::Error::from_raw_os_error(libc::EBADF)),
        }
    }

    /// Makes it an ordinary descriptor, which later children inherit.
    ///
    /// # Errors
    ///
    /// `EBADF` in a child of the process that opened it.
    pub fn into_inherited(mut self) -> io::Result<OwnedFd> {
        self.fd()?;
        let mut registry = Registry::hold();
        let fd = self.fd.take().ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))?;
        registry.remove(fd.as_raw_fd());
        Ok(fd)
    }
}

impl Drop for PrivateFd {
    fn drop(&mut self) {
        let Some(fd) = self.fd.take() else { return };
        if self.generation == generation() {
            // Closed while the registry is held: between the two a fork would copy it into a child
            // that knows nothing of it.
            let mut registry = Registry::hold();
            registry.remove(fd.as_raw_fd());
            drop(fd);
        } else {
            // Closed at the fork: by now the number may belong to somebody else.
            let _ = fd.into_raw_fd();
        }
    }
}

/// The registry, held: no fork and no other opening or closing happens meanwhile.
pub(crate) struct Registry(MutexGuard<'static, Vec<RawFd>>);

impl Registry {
    pub(crate) fn hold() -> Registry {
        Registry(REGISTRY.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn remove(&mut self, fd: RawFd) {
        // From the end: what was opened last is closed first, more often than not.
        if let Some(index) = self.0.iter().rposition(|&number| number == fd) {
            self.0.swap_remove(index);
        }
    }

    /// Called once in a new child: closes all but the one that is shared with its parent, and those
    /// that are handed to it.
    #[inline]
    pub(crate) fn enter_child(
        &mut self,
        shared: Option<&PrivateFd>,
        handed: Vec<PrivateFd>,
    ) -> (Option<PrivateFd>, Vec<OwnedFd>) {
        // Most children get none: then not even the code that turns one list into the other is run,
        // which lies on a page of its own.
        let handed: Vec<OwnedFd> = match handed.is_empty() {
            true => Vec::new(),
            false => handed.into_iter().filter_map(|mut private| private.fd.take()).collect(),
        };
        let number = shared.and_then(|shared| Some(shared.fd.as_ref()?.as_raw_fd()));
        for &fd in self.0.iter() {
            if number != Some(fd) && handed.iter().all(|handed| handed.as_raw_fd() != fd) {
                // SAFETY: the number is open, since it is registered, and its owner in this process,
                // if one is left, is a `PrivateFd` of another generation, which never touches it.
                unsafe { libc::close(fd) };
            }
        }
        self.0.retain(|&fd| number == Some(fd));
        let shared = number.map(|number| {
            // SAFETY: the number is open, and its owner in this process is of another generation.
            let fd = unsafe { OwnedFd::from_raw_fd(number) };
            PrivateFd { fd: Some(fd), generation: generation() }
        });
        (shared, handed)
    }
}
