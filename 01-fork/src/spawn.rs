use std::ffi::CStr;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::SigSet;
use nix::unistd::Pid;

use crate::child::Abandoned;
use crate::{Child, ForkError};

/// A new process for another program, and what is different in it when that begins.
///
/// Unlike [`fork`](crate::fork()), no code of this program runs in the child, so it needs no copy of
/// the memory: the parent's thread stands still until the program is loaded, which costs the same
/// however large this process is, and is safe with other threads.
///
/// It is the ground under the lesson `subprocess`. Everything happens in the order of the calls, in
/// the child alone.
///
/// Source: [posix_spawn(3)](https://man7.org/linux/man-pages/man3/posix_spawn.3.html).
#[derive(Debug)]
pub struct Spawn<'fd> {
    actions: PosixSpawnFileActions,
    attributes: PosixSpawnAttr,
    flags: PosixSpawnFlags,
    /// Descriptors are noted as numbers: whatever they are must be open until the start.
    fds: PhantomData<BorrowedFd<'fd>>,
}

impl<'fd> Spawn<'fd> {
    /// A process that differs from this one in nothing.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, as in all methods here.
    pub fn new() -> io::Result<Spawn<'fd>> {
        let (actions, attributes) = (PosixSpawnFileActions::init()?, PosixSpawnAttr::init()?);
        Ok(Spawn { actions, attributes, flags: PosixSpawnFlags::empty(), fds: PhantomData })
    }

    /// Gives it `fd` under this number, also where it is the same one: it is not close-on-exec then.
    ///
    /// # Errors
    ///
    /// `EBADF` for a number that is not below the limit of open files.
    pub fn dup2(&mut self, fd: BorrowedFd<'fd>, number: RawFd) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        // SAFETY: `action` gives initialised actions; the call only notes two numbers in them.
        self.action(|to| unsafe { libc::posix_spawn_file_actions_adddup2(to, fd, number) })
    }

    /// Closes this number and all above it, and with `except`, sorted, all but these.
    ///
    /// The child closes them, so it makes no difference what other threads open meanwhile.
    ///
    /// # Errors
    ///
    /// `EBADF` when one of `except` is not below the limit of open files.
    pub fn close_from(&mut self, first: RawFd, except: &[RawFd]) -> io::Result<()> {
        let mut next = first;
        for &kept in except.iter().filter(|&&kept| kept >= first) {
            for number in next..kept {
                // SAFETY: as in `dup2`. To close what is not open is no error.
                self.action(|to| unsafe { libc::posix_spawn_file_actions_addclose(to, number) })?;
            }
            next = kept + 1;
        }
        // SAFETY: as in `dup2`.
        #[cfg(target_env = "gnu")]
        self.action(|to| unsafe { libc::posix_spawn_file_actions_addclosefrom_np(to, next) })?;
        // Other C libraries have no such call: all that are open now. What another thread opens
        // later, without close-on-exec, escapes.
        #[cfg(not(target_env = "gnu"))]
        for entry in std::fs::read_dir("/proc/self/fd")?.flatten() {
            let number = entry.file_name().to_str().and_then(|number| number.parse().ok());
            if let Some(number) = number.filter(|&number: &RawFd| number >= next) {
                // SAFETY: as in `dup2`.
                self.action(|to| unsafe { libc::posix_spawn_file_actions_addclose(to, number) })?;
            }
        }
        Ok(())
    }

    /// Changes its working directory.
    ///
    /// # Errors
    ///
    /// `ENOMEM`. That there is no such directory is an error of [`start`](Spawn::start).
    pub fn chdir(&mut self, directory: &CStr) -> io::Result<()> {
        let path = directory.as_ptr();
        // SAFETY: as in `dup2`; the path ends in NUL, and the call copies it.
        self.action(|to| unsafe { libc::posix_spawn_file_actions_addchdir_np(to, path) })
    }

    /// Puts it into the process group of this number, or for 0 into one of its own.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn group(&mut self, leader: i32) -> io::Result<()> {
        self.flags |= PosixSpawnFlags::POSIX_SPAWN_SETPGROUP;
        Ok(self.attributes.set_pgroup(Pid::from_raw(leader))?)
    }

    /// Makes it the leader of a session of its own, which has no terminal.
    pub fn session(&mut self) {
        self.flags |= PosixSpawnFlags::from_bits_retain(libc::POSIX_SPAWN_SETSID.into());
    }

    /// Blocks the signals of `mask` in it and no others, and takes the default action for those of
    /// `default`, also where this process ignores them.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn signals(&mut self, mask: &SigSet, default: &SigSet) -> io::Result<()> {
        self.flags |= PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK;
        self.flags |= PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF;
        self.attributes.set_sigmask(mask)?;
        Ok(self.attributes.set_sigdefault(default)?)
    }

    /// Starts the program in the file `path`, with these arguments, its name the first of them, and
    /// an environment of these `NAME=value`.
    ///
    /// # Errors
    ///
    /// When no process could be made, and when what was to be different, or the program's start,
    /// failed in the child: the error number does not tell which.
    pub fn start(
        mut self,
        path: &CStr,
        arguments: &[impl AsRef<CStr>],
        environment: &[impl AsRef<CStr>],
    ) -> Result<Child, ForkError> {
        Abandoned::hold().reap();
        let pid = self.attributes.set_flags(self.flags).and_then(|()| {
            posix_spawn(path, &self.actions, &self.attributes, arguments, environment)
        });
        let pid = pid.map_err(|errno| ForkError::not_spawned(errno.into()))?.as_raw();
        Abandoned::hold().forget(pid);
        Ok(Child::new(pid))
    }

    /// Calls what notes an action, and takes its result, an error number and no -1.
    fn action(
        &mut self,
        add: impl FnOnce(*mut libc::posix_spawn_file_actions_t) -> libc::c_int,
    ) -> io::Result<()> {
        // The wrapper is declared `repr(transparent)`: a pointer to it is one to what is inside.
        match add((&raw mut self.actions).cast()) {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }
}
