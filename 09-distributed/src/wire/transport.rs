use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt};

use crate::wire::tls::Session;

/// A connection's two directions. Everything above this file knows no more of TCP than this, and nothing of
/// whether what passes is encrypted.
#[derive(Debug)]
pub(crate) struct Transport {
    stream: TcpStream,
    /// None is plain.
    session: Option<Session>,
    /// What was set last: each change takes two system calls.
    patience: Option<Duration>,
}

impl Transport {
    /// No delays for small messages.
    pub(crate) fn new(stream: TcpStream, session: Option<Session>) -> io::Result<Transport> {
        stream.set_nodelay(true)?;
        Ok(Transport { stream, session, patience: None })
    }

    /// Breaks the connection when the other machine has been silent for so long, four seconds at least: it may be gone
    /// without a word, and whoever waits for it would wait for ever. Half of the time nothing need come; then the
    /// kernel asks three times (keepalive). What is sent and not confirmed has the same time (RFC 5482).
    pub(crate) fn set_silence(&self, silence: Duration) -> io::Result<()> {
        // The kernel takes no more than that.
        let seconds = u32::try_from(silence.as_secs()).unwrap_or(u32::MAX).clamp(2, 32_767);
        let (idle, pause) = (seconds / 2, (seconds / 6).max(1));
        setsockopt(&self.stream, sockopt::KeepAlive, &true)?;
        setsockopt(&self.stream, sockopt::TcpKeepIdle, &idle)?;
        setsockopt(&self.stream, sockopt::TcpKeepInterval, &pause)?;
        setsockopt(&self.stream, sockopt::TcpKeepCount, &3)?;
        setsockopt(&self.stream, sockopt::TcpUserTimeout, &((idle + 3 * pause) * 1000))?;
        Ok(())
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

    /// Whether something that was written is still held here, and [`flush`](Write::flush) sends it.
    pub(crate) fn has_unwritten(&self) -> bool {
        self.session.as_ref().is_some_and(Session::has_unwritten)
    }

    /// Reads what is there now, if anything is. Over TLS that is not tried.
    pub(crate) fn look(&mut self, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        if self.session.is_some() {
            return None;
        }
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
        match &mut self.session {
            None => self.stream.read(buffer),
            Some(session) => session.read(&mut self.stream, buffer),
        }
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.session {
            None => self.stream.write(bytes),
            Some(session) => session.write(&mut self.stream, bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.session {
            None => Ok(()),
            Some(session) => session.flush(&mut self.stream),
        }
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        if let Some(session) = &mut self.session
            && self.stream.set_nonblocking(true).is_ok()
        {
            session.close(&mut self.stream);
        }
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
