use std::io::{self, Write};
use std::os::fd::BorrowedFd;

use fork::PrivateFd;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Deserialize, Serialize};

/// The one message that a child sends.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Frame {
    /// The function came to its end; what its [`Call`](crate::target::Call) left.
    Returned(#[serde(with = "serde_bytes")] Vec<u8>),
    Panicked {
        message: String,
        place: String,
    },
    /// The function was not called, and why.
    Failed(String),
}

impl Frame {
    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let body = postcard::to_stdvec(self).map_err(io::Error::other)?;
        let mut whole = (body.len() as u64).to_le_bytes().to_vec();
        whole.extend(body);
        to.write_all(&whole)
    }
}

/// Where a child's message arrives.
#[derive(Debug)]
pub(crate) struct Incoming {
    fd: PrivateFd,
    bytes: Vec<u8>,
    ended: bool,
}

impl Incoming {
    pub(crate) fn new(fd: PrivateFd) -> Incoming {
        Incoming { fd, bytes: Vec::new(), ended: false }
    }

    pub(crate) fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        self.fd.fd()
    }

    /// Whether nothing more will come that is wanted.
    pub(crate) fn is_done(&self) -> bool {
        self.ended || self.body().is_some()
    }

    /// Reads all that is there, without waiting for more.
    pub(crate) fn drain(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        while !self.is_done() {
            let mut ready = [PollFd::new(self.fd.fd()?, PollFlags::POLLIN)];
            match poll(&mut ready, PollTimeout::ZERO) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            }
            match nix::unistd::read(self.fd.fd()?, &mut buffer) {
                // ECONNRESET: a socket's other end was closed with something unread in it.
                Ok(0) | Err(Errno::ECONNRESET) => self.ended = true,
                Ok(count) => self.bytes.extend(&buffer[..count]),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The message, if all of it has come.
    pub(crate) fn frame(&self) -> Option<Result<Frame, postcard::Error>> {
        self.body().map(postcard::from_bytes)
    }

    fn body(&self) -> Option<&[u8]> {
        let (len, rest) = self.bytes.split_first_chunk::<8>()?;
        rest.get(..usize::try_from(u64::from_le_bytes(*len)).ok()?)
    }
}
