use std::io;
use std::net::TcpStream;
use std::path::Path;

use crate::wire::KeyError;

/// One side's private key and certificate, and the certificate of the other side: the only one that it
/// trusts. It needs the cargo feature `tls`, and this build is without it: there is no value of this type.
#[derive(Debug, Clone)]
pub enum Tls {}

impl Tls {
    /// Makes a file for the server and one for all its clients.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoTls`]: always, without the cargo feature `tls`.
    pub fn generate(_server: impl AsRef<Path>, _client: impl AsRef<Path>) -> Result<(), KeyError> {
        Err(KeyError::NoTls)
    }

    /// From a file that [`generate`](Tls::generate) made for this side.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoTls`]: always, without the cargo feature `tls`.
    pub fn from_file(_path: impl AsRef<Path>) -> Result<Tls, KeyError> {
        Err(KeyError::NoTls)
    }

    pub(crate) fn accept(&self) -> io::Result<Session> {
        match *self {}
    }

    pub(crate) fn connect(&self) -> io::Result<Session> {
        match *self {}
    }
}

#[derive(Debug)]
pub(crate) enum Session {}

impl Session {
    pub(crate) fn read(&mut self, _: &mut TcpStream, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn write(&mut self, _: &mut TcpStream, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn flush(&mut self, _: &mut TcpStream) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn has_unwritten(&self) -> bool {
        match *self {}
    }

    pub(crate) fn close(&mut self, _: &mut TcpStream) {
        match *self {}
    }
}
