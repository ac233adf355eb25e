use std::io::{self, Read, Write};
use std::net::TcpStream;

use rustls::Connection;

/// The state of one connection. It does no waiting of its own: a stream that would block makes it return, so
/// that the client's blocking socket and the server's poll loop share it.
#[derive(Debug)]
pub(crate) struct Session(Box<Connection>);

impl Session {
    pub(crate) fn new(connection: Connection) -> Session {
        Session(Box::new(connection))
    }

    /// What has come, after one read of the stream at most. `Interrupted` says: there was something, but nothing yet for
    /// whoever asks. That the other side ended without TLS's goodbye is an end like any other: frames have a
    /// length, so nothing that was cut off passes for whole.
    pub(crate) fn read(&mut self, stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        self.flush(stream)?;
        if let Some(len) = self.take(buffer)? {
            return Ok(len);
        }
        if self.0.read_tls(stream)? == 0 {
            return Ok(0);
        }
        if let Err(error) = self.0.process_new_packets() {
            // The other side is to know why, if it listens.
            let _ = self.0.write_tls(stream);
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        self.take(buffer)?.ok_or_else(|| io::ErrorKind::Interrupted.into())
    }

    fn take(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self.0.reader().read(buffer) {
            Ok(len) => Ok(Some(len)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes bytes when all earlier ones are sent: what is held for a reader that does not read stays small. They may
    /// be only half sent; the next call of any kind goes on with them.
    pub(crate) fn write(&mut self, stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
        self.flush(stream)?;
        let len = self.0.writer().write(bytes)?;
        match self.flush(stream) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(len),
        }
    }

    pub(crate) fn flush(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        while self.0.wants_write() {
            match self.0.write_tls(stream) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn has_unwritten(&self) -> bool {
        self.0.wants_write()
    }

    /// Says goodbye, if there was a beginning and that does not take waiting.
    pub(crate) fn close(&mut self, stream: &mut TcpStream) {
        if !self.0.is_handshaking() {
            self.0.send_close_notify();
            let _ = self.0.write_tls(stream);
        }
    }
}
