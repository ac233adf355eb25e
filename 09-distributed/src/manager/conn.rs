use std::io::{self, Read, Write};
use std::time::Instant;

use crate::manager::message::Response;
use crate::pickle::Value;
use crate::queue::{Call, Kind};
use crate::wire::{FrameReader, Handshake, Transport, frame};

/// A connection, as the server's poll loop sees it.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) transport: Transport,
    pub(crate) inbox: FrameReader,
    outbox: Vec<u8>,
    pub(crate) phase: Phase,
    /// When the loop must look at it, if nothing comes.
    pub(crate) timer: Option<Instant>,
    /// The object and value of the last answer, until the next request shows that it arrived.
    pub(crate) unconfirmed: Option<(String, Value)>,
    /// What it calls itself.
    pub(crate) name: String,
    /// Objects from which it took something on lease.
    pub(crate) took: Vec<String>,
    /// What the loop is told of: to be changed only with the loop's list.
    pub(crate) interest: Interest,
}

#[derive(Debug)]
pub(crate) enum Phase {
    /// Nobody yet.
    Stranger(Handshake),
    /// May ask the server itself one thing, as Python's clients do.
    Control,
    /// Calls methods of objects.
    Calling,
    /// Its call waits for something.
    Waiting(Parked),
    /// Is to be closed when its last answer is written.
    Closing,
    /// Its other side has ended, perhaps before it got its last answer.
    Ended,
}

/// A call that waits.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) object: String,
    pub(crate) call: Call,
    pub(crate) kind: Kind,
    pub(crate) until: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interest {
    pub(crate) read: bool,
    pub(crate) write: bool,
    /// The end of the other side.
    pub(crate) end: bool,
}

impl Conn {
    pub(crate) fn new(transport: Transport, handshake: Handshake, limit: usize) -> Conn {
        Conn {
            transport,
            inbox: FrameReader::new(limit),
            outbox: Vec::new(),
            phase: Phase::Stranger(handshake),
            timer: None,
            unconfirmed: None,
            name: String::new(),
            took: Vec::new(),
            interest: Interest { read: true, write: false, end: true },
        }
    }

    /// What it wants to be told of. While something is unwritten nothing more is read: who does not
    /// take his answers can't make the server hold more and more of them.
    pub(crate) fn wanted(&self) -> Interest {
        let write = self.has_unwritten();
        let ended = matches!(self.phase, Phase::Ended);
        let idle = ended || matches!(self.phase, Phase::Waiting(_) | Phase::Closing);
        Interest { read: !write && !idle, write, end: !ended }
    }

    pub(crate) fn has_unwritten(&self) -> bool {
        !self.outbox.is_empty() || self.transport.has_unwritten()
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        let written = frame(&mut self.outbox, |out| {
            out.extend(bytes);
            Ok::<(), ()>(())
        });
        debug_assert!(written.is_ok(), "the closure has no error");
    }

    /// Queues an answer; what was in it comes back.
    pub(crate) fn send(&mut self, response: Response) -> Value {
        response.write(&mut self.outbox).unwrap_or_else(|error| {
            // Only for what is nested too deep, and what came in was not.
            let _ = Response::Unserializable(format!("{error}\n")).write(&mut self.outbox);
            Value::None
        })
    }

    /// Reads what is there, one piece of it: others want their turn. False at the end.
    pub(crate) fn fill(&mut self, scratch: &mut [u8]) -> io::Result<bool> {
        match self.transport.read(scratch) {
            Ok(0) => Ok(false),
            Ok(len) => {
                self.inbox.feed(&scratch[..len]);
                Ok(true)
            }
            Err(error) if is_later(&error) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Writes what it can.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let mut written = 0;
        let result = loop {
            if written == self.outbox.len() {
                break match self.transport.flush() {
                    Err(error) if !is_later(&error) => Err(error),
                    _ => Ok(()),
                };
            }
            match self.transport.write(&self.outbox[written..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => written += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_later(&error) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.outbox.drain(..written);
        if self.outbox.is_empty() && self.outbox.capacity() > 1 << 18 {
            self.outbox = Vec::new();
        }
        result
    }
}

fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
