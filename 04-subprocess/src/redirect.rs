use std::fs::File;
use std::io::{PipeReader, PipeWriter};
use std::os::fd::OwnedFd;

/// Where a program's standard input comes from, or where one of its outputs goes.
///
/// Made from anything with a descriptor of its own (`File`, a pipe's end, a socket as [`OwnedFd`]),
/// or one of [`PIPE`] and [`DEVNULL`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Redirect {
    /// This program's own.
    #[default]
    Inherit,
    /// A new pipe, whose other end is the [`Popen`](crate::Popen)'s.
    Pipe,
    /// `/dev/null`: nothing to read, and what is written is gone.
    Null,
    /// This open file, socket, pipe or terminal. It is closed here once the program has started.
    Fd(OwnedFd),
}

/// The same for standard error, which may also go where standard output goes: [`STDOUT`].
#[derive(Debug)]
pub enum ErrRedirect {
    /// As an output may go.
    To(Redirect),
    /// Where standard output goes, in the order in which both are written.
    Stdout,
}

/// A new pipe between this program and the other.
pub const PIPE: Redirect = Redirect::Pipe;

/// The empty file, and the file that swallows all.
pub const DEVNULL: Redirect = Redirect::Null;

/// The type of [`STDOUT`], which no method but [`stderr`](crate::Command::stderr) takes.
#[derive(Debug, Clone, Copy)]
pub struct Stdout;

/// For [`stderr`](crate::Command::stderr) alone: where standard output goes.
pub const STDOUT: Stdout = Stdout;

macro_rules! from_descriptors {
    ($($file:ty),*) => { $(
        impl From<$file> for Redirect {
            fn from(file: $file) -> Redirect {
                Redirect::Fd(file.into())
            }
        }
        impl From<$file> for ErrRedirect {
            fn from(file: $file) -> ErrRedirect {
                ErrRedirect::To(file.into())
            }
        }
    )* };
}
from_descriptors!(File, OwnedFd, PipeReader, PipeWriter);

impl From<Redirect> for ErrRedirect {
    fn from(to: Redirect) -> ErrRedirect {
        ErrRedirect::To(to)
    }
}

impl From<Stdout> for ErrRedirect {
    fn from(_: Stdout) -> ErrRedirect {
        ErrRedirect::Stdout
    }
}
