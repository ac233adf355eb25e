use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use fork::{Child, PrivateFd, fork_handing};

/// What can be handed to another process: as descriptors, which every process can be given.
///
/// All types here that two processes can have are such, and tuples of them.
pub trait Handover: Sized {
    /// Gives it up, as descriptors that no forked child inherits.
    ///
    /// # Errors
    ///
    /// `EMFILE` without a free descriptor, `EBADF` for what was not handed to this process.
    fn into_fds(self) -> io::Result<Vec<PrivateFd>>;

    /// Takes it from the next descriptors of several.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` when there are too few, `EINVAL` when they are something else.
    fn from_fds(fds: &mut dyn Iterator<Item = OwnedFd>) -> io::Result<Self>;
}

/// Forks, and hands `given` to the child: every other end of a queue or pipe is closed in it.
///
/// Unlike with a plain [`fork::fork`], by which the child gets a copy of every inherited
/// descriptor, each end is in one process only. That is what makes "closed" true: a reader is told of
/// the end when the last writer is gone, and one forgotten copy, maybe in the reader itself, would
/// let it wait for ever.
///
/// ```
/// let (putter, getter) = ipc::Queue::new(16)?.split()?;
/// let child = ipc::fork_with(putter, |putter| {
///     "hello".chars().for_each(|letter| putter.put(&letter).expect("somebody gets"));
///     0
/// })?;
/// assert_eq!(getter.iter().collect::<Result<String, _>>()?, "hello"); // ends with the child
/// child.wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of [`Handover::into_fds`], and of the fork itself. The child ends with code 1, and a message,
/// when it can't take what it was given.
pub fn fork_with<H: Handover>(given: H, child: impl FnOnce(H) -> i32) -> io::Result<Child> {
    let fds = given.into_fds()?;
    let run = |fds: Vec<OwnedFd>| match H::from_fds(&mut fds.into_iter()) {
        Ok(given) => child(given),
        Err(error) => {
            eprintln!("can't take what the parent handed over: {error}");
            1
        }
    };
    fork_handing(fds, run).map_err(io::Error::other)
}

/// A copy of a descriptor for [`Handover::into_fds`].
pub(crate) fn private(fd: BorrowedFd<'_>) -> io::Result<PrivateFd> {
    let [private] = PrivateFd::open(|| Ok([fd.try_clone_to_owned()?]))?;
    Ok(private)
}

pub(crate) fn next(fds: &mut dyn Iterator<Item = OwnedFd>) -> io::Result<OwnedFd> {
    fds.next().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// For those that are one piece of shared memory.
macro_rules! by_memory {
    ($type:ident $(<$parameter:ident: $bound:ident>)?) => {
        impl $(<$parameter: $bound>)? $crate::Handover for $type $(<$parameter>)? {
            fn into_fds(self) -> std::io::Result<Vec<fork::PrivateFd>> {
                Ok(vec![$crate::handover::private(self.fd())?])
            }
            fn from_fds(
                fds: &mut dyn Iterator<Item = std::os::fd::OwnedFd>,
            ) -> std::io::Result<Self> {
                Self::from_fd($crate::handover::next(fds)?)
            }
        }
    };
}
pub(crate) use by_memory;

macro_rules! tuple {
    ($($name:ident)+) => {
        impl<$($name: Handover),+> Handover for ($($name,)+) {
            fn into_fds(self) -> io::Result<Vec<PrivateFd>> {
                #[expect(non_snake_case, reason = "each value is named as its type")]
                let ($($name,)+) = self;
                let mut fds = Vec::new();
                $(fds.extend($name.into_fds()?);)+
                Ok(fds)
            }
            fn from_fds(fds: &mut dyn Iterator<Item = OwnedFd>) -> io::Result<Self> {
                Ok(($($name::from_fds(fds)?,)+))
            }
        }
    };
}
tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
