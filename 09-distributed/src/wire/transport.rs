use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};

/// A connection's two directions. Everything above this file knows no more of TCP than this, so a
/// layer that encrypts has its place here.
#[derive(Debug)]
pub(crate) struct Transport(TcpStream);

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
        Ok(Transport(stream))
    }

    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        self.0.set_nonblocking(true)
    }

    /// `None` waits for as long as it takes.
    pub(crate) fn set_patience(&self, patience: Option<Duration>) -> io::Result<()> {
        // Zero would mean for ever.
        let patience = patience.map(|patience| patience.max(Duration::from_millis(1)));
        self.0.set_read_timeout(patience)?;
        self.0.set_write_timeout(patience)
    }

    /// Whether the connection was reset, or broke in another way.
    pub(crate) fn is_broken(&self) -> bool {
        self.0.take_error().is_ok_and(|error| error.is_some())
    }

    /// Whether somebody is still there, as far as this machine has been told.
    pub(crate) fn is_alive(&self) -> bool {
        match self.0.peek(&mut [0]) {
            Ok(len) => len > 0,
            Err(error) => {
                matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
            }
        }
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
