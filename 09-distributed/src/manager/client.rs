use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::manager::backoff::Backoff;
use crate::manager::message::Response;
use crate::manager::{CallError, ConnectError, RemoteQueue};
use crate::pickle::{Class, Value, write_request};
use crate::wire::key::random;
use crate::wire::{
    CHALLENGE_LIMIT, Eager, FAILURE, FrameReader, Handshake, Key, Step, Tls, Transport, frame,
};

/// A server's address and key: Python's `BaseManager` after `connect`.
///
/// It does not hold a connection: each queue has one of its own, so that a `get` that waits does not
/// keep the others waiting.
#[derive(Debug, Clone)]
pub struct Manager {
    address: SocketAddr,
    key: Key,
    tls: Option<Tls>,
    patience: Duration,
}

impl Manager {
    /// Asks the server once whether it is there and has the same key.
    ///
    /// # Errors
    ///
    /// When not.
    pub fn connect(address: SocketAddr, key: &Key) -> Result<Manager, ConnectError> {
        Manager::at(address, key).reach(Duration::ZERO)
    }

    /// A server that is not asked yet.
    pub fn at(address: SocketAddr, key: &Key) -> Manager {
        Manager { address, key: key.clone(), tls: None, patience: Duration::from_secs(30) }
    }

    /// The same, for a server that may not be there yet: tries again and again, with growing pauses,
    /// for this long.
    ///
    /// # Errors
    ///
    /// The last one; at once, if trying again can't help.
    pub fn connect_within(
        address: SocketAddr,
        key: &Key,
        within: Duration,
    ) -> Result<Manager, ConnectError> {
        Manager::at(address, key).reach(within)
    }

    /// The same, for one that was made with [`at`](Manager::at).
    ///
    /// # Errors
    ///
    /// The last one; at once, if trying again can't help.
    pub fn reach(self, within: Duration) -> Result<Manager, ConnectError> {
        Backoff::retry(within, || self.ask("dummy", &[]))?;
        Ok(self)
    }

    /// Speaks TLS, with a server that does.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Manager {
        self.tls = Some(tls);
        self
    }

    /// How much longer than it may wait an answer may take before the server counts as silent: 30
    /// seconds without this. A call that may wait for ever ends when the server's *machine* has been silent for this
    /// long, or for four seconds, to the kernel's questions, too.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Manager {
        self.patience = patience;
        self
    }

    /// The queue that the server has registered under this name.
    ///
    /// # Errors
    ///
    /// When nothing is, or the server can't be reached.
    pub fn queue(&self, name: &str) -> Result<RemoteQueue, ConnectError> {
        RemoteQueue::open(self, name)
    }

    /// Ends the server. Its queues end with it.
    ///
    /// # Errors
    ///
    /// When it can't be reached.
    pub fn shutdown(&self) -> Result<(), ConnectError> {
        self.ask("shutdown", &[]).map(drop)
    }

    /// How many objects somebody refers to.
    ///
    /// # Errors
    ///
    /// When the server can't be reached.
    pub fn number_of_objects(&self) -> Result<i64, ConnectError> {
        match self.ask("number_of_objects", &[])? {
            Value::Int(number) => Ok(number),
            other => Err(self.failed(unexpected(&other))),
        }
    }

    pub(crate) fn failed(&self, error: CallError) -> ConnectError {
        match error {
            // What came is no TLS that is trusted. Plain connections don't look at the bytes.
            CallError::Lost(error) if error.kind() == io::ErrorKind::InvalidData => {
                ConnectError::Tls(self.address, error)
            }
            error => ConnectError::Call(self.address, error),
        }
    }

    /// Asks the server itself, on a connection for this one question.
    pub(crate) fn ask(&self, method: &str, arguments: &[Value]) -> Result<Value, ConnectError> {
        let mut connection = self.open()?;
        connection.call(None, method, arguments, Some(self.patience)).map_err(|e| self.failed(e))
    }

    /// A connection on which methods can be called.
    pub(crate) fn serve(&self) -> Result<Connection, ConnectError> {
        let mut connection = self.open()?;
        let name = [Value::Str(format!("process {}", std::process::id()))];
        let accepted = connection.call(None, "accept_connection", &name, Some(self.patience));
        accepted.map_err(|error| self.failed(error))?;
        Ok(connection)
    }

    pub(crate) fn given_patience(&self) -> Duration {
        self.patience
    }

    fn open(&self) -> Result<Connection, ConnectError> {
        let unreachable = |error| ConnectError::Unreachable(self.address, error);
        let stream =
            TcpStream::connect_timeout(&self.address, self.patience).map_err(unreachable)?;
        let session = self.tls.as_ref().map(Tls::connect).transpose().map_err(unreachable)?;
        let mut transport = Transport::new(stream, session).map_err(unreachable)?;
        transport.set_silence(self.patience).map_err(unreachable)?;
        transport.set_patience(Some(self.patience)).map_err(unreachable)?;
        let mut connection = Connection {
            transport,
            inbox: FrameReader::new(CHALLENGE_LIMIT),
            eager: Eager::default(),
        };
        let mut handshake = Handshake::connect(self.key.clone());
        let deadline = Instant::now() + self.patience;
        // Read before the handshake: a challenge of our own must not be one that could be guessed.
        let fresh = random().map_err(unreachable)?;
        loop {
            let frame = connection.receive(Some(deadline)).map_err(|error| self.failed(error))?;
            let step = handshake.step(&frame, || fresh);
            let (answer, last) = match step {
                Ok(Step::Send(answer)) => (answer, false),
                Ok(Step::SendLast(answer)) => (answer, true),
                Ok(Step::Done) => return Ok(connection),
                Err(error) => {
                    let _ = connection.send(FAILURE);
                    return Err(ConnectError::Auth(self.address, error));
                }
            };
            connection.send(&answer).map_err(|error| self.failed(CallError::Lost(error)))?;
            if last {
                // What a server of ours would send, and a bit more.
                connection.inbox.limit = 64 << 20;
                return Ok(connection);
            }
        }
    }
}

/// A connection to a server, seen from a client: it asks, then it waits.
#[derive(Debug)]
pub(crate) struct Connection {
    transport: Transport,
    inbox: FrameReader,
    eager: Eager,
}

impl Connection {
    /// Calls, and waits for the answer: for ever if there is no patience.
    pub(crate) fn call(
        &mut self,
        object: Option<&str>,
        method: &str,
        arguments: &[Value],
        patience: Option<Duration>,
    ) -> Result<Value, CallError> {
        let deadline = patience.map(|patience| Instant::now() + patience);
        let mut request = Vec::new();
        frame(&mut request, |out| write_request(out, object, method, arguments))?;
        self.transport.set_patience(patience).map_err(CallError::Lost)?;
        self.transmit(&request, deadline)?;
        let answer = self.receive(deadline)?;
        match Response::read(&answer)? {
            Response::Return(value) => Ok(value),
            Response::Error(Class::Empty, _) => Err(CallError::Empty),
            Response::Error(Class::Full, _) => Err(CallError::Full),
            Response::Error(class, parts) => Err(CallError::Raised(class, parts)),
            Response::Traceback(text) | Response::Unserializable(text) => {
                Err(CallError::Refused(text))
            }
            Response::Proxy(value) => Err(unexpected(&value)),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut out = Vec::new();
        frame(&mut out, |out| {
            out.extend(bytes);
            Ok(())
        })
        .and_then(|()| self.transport.write_all(&out))
    }

    fn transmit(&mut self, mut bytes: &[u8], deadline: Option<Instant>) -> Result<(), CallError> {
        loop {
            match self.transport.write(bytes) {
                Ok(0) => return Err(CallError::Lost(io::ErrorKind::WriteZero.into())),
                Ok(len) => bytes = &bytes[len..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(error)),
            }
            if bytes.is_empty() {
                return Ok(());
            }
            self.hurry(deadline)?;
        }
    }

    fn receive(&mut self, deadline: Option<Instant>) -> Result<Vec<u8>, CallError> {
        let mut scratch = [0; 1 << 12];
        let mut pieces = 0;
        loop {
            if let Some(frame) = self.inbox.next().map_err(CallError::Frame)? {
                return Ok(frame.to_vec());
            }
            if pieces > 0 {
                self.hurry(deadline)?;
            }
            pieces += 1;
            let soon = self.eager.watch(|| self.transport.look(&mut scratch));
            match soon.unwrap_or_else(|| self.transport.read(&mut scratch)) {
                Ok(0) => return Err(CallError::Lost(io::ErrorKind::UnexpectedEof.into())),
                Ok(len) => self.inbox.feed(&scratch[..len]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(error)),
            }
        }
    }

    /// Each further piece may take what is left of the time, or somebody who takes or sends a byte at a time holds us
    /// for ever.
    fn hurry(&mut self, deadline: Option<Instant>) -> Result<(), CallError> {
        let Some(deadline) = deadline else { return Ok(()) };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(CallError::Silent);
        }
        self.transport.set_patience(Some(left)).map_err(CallError::Lost)
    }
}

/// A timeout of the socket is a server that does not answer.
fn broken(error: io::Error) -> CallError {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => CallError::Silent,
        _ => CallError::Lost(error),
    }
}

pub(crate) fn unexpected(value: &Value) -> CallError {
    let mut text = format!("{value:?}");
    text.truncate(text.char_indices().nth(80).map_or(text.len(), |(at, _)| at));
    CallError::Refused(format!("it answered with {text}"))
}
