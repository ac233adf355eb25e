use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt};

/// A connection's two directions. Everything above this file knows no more of TCP than this, so a
/// layer that encrypts has its place here.
#[derive(Debug)]
pub(crate) struct Transport {
    stream: TcpStream,
    /// What was set last: each change takes two system calls.
    patience: Option<Duration>,
}

impl Transport {
    /// No delays for small messages, and a peer whose machine has gone without a word is found
    /// out after a minute: otherwise whoever waits for it waits for ever.
    pub(crate) fn new(stream: TcpStream) -> io::Result<Transport> {
        stream.set_nodelay(true)?;
        setsockopt(&stream, sockopt::KeepAlive, &true)?;
        setsockopt(&stream, sockopt::TcpKeepIdle, &30)?;
        setsockopt(&stream, sockopt::TcpKeepInterval, &10)?;
        setsockopt(&stream, sockopt::TcpKeepCount, &3)?;
        setsockopt(&stream, sockopt::TcpUserTimeout, &60_000)?;
        Ok(Transport { stream, patience: None })
    }

    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        self.stream.set_nonblocking(true)
    }

    /// `None` waits for as long as it takes.
    pub(crate) fn set_patience(&mut self, patience: Option<Duration>) -> io::Result<()> {
        if patience == self.patience {
            return Ok(());
        }
        self.patience = patience;
        // Zero would mean for ever.
        let patience = patience.map(|patience| patience.max(Duration::from_millis(1)));
        self.stream.set_read_timeout(patience)?;
        self.stream.set_write_timeout(patience)
    }

    /// Reads what is there now, if anything is.
    pub(crate) fn look(&mut self, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        match recv(self.stream.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
            Ok(len) => Some(Ok(len)),
            Err(Errno::EAGAIN | Errno::EINTR) => None,
            Err(error) => Some(Err(error.into())),
        }
    }

    /// Whether the connection was reset, or broke in another way.
    pub(crate) fn is_broken(&self) -> bool {
        self.stream.take_error().is_ok_and(|error| error.is_some())
    }

    /// Whether somebody is still there, as far as this machine has been told.
    pub(crate) fn is_alive(&self) -> bool {
        match self.stream.peek(&mut [0]) {
            Ok(len) => len > 0,
            Err(error) => {
                matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
            }
        }
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
