use std::io::ErrorKind::AddrInUse;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::socket::{Backlog, listen};

use crate::manager::ServeError;
use crate::manager::occupant::occupant;
use crate::manager::poll::Poll;
use crate::manager::registry::Registry;
use crate::queue::QueueConfig;
use crate::wire::{Key, Tls};

/// A server of queues, as Python's `BaseManager` is one, for clients in both languages.
///
/// Unlike Python's it has one thread, however many come; runs no code that a client sends; and keeps what
/// a dead client has not taken.
#[derive(Debug)]
#[must_use = "it serves nobody before `listen`"]
pub struct Server {
    key: Key,
    tls: Option<Tls>,
    limits: Limits,
    registry: Registry,
}

/// What the server allows. Everything that a client can make it hold is bounded.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections that have not shown yet that they have the key. One more, and the oldest of them goes. 256.
    pub strangers: usize,
    /// Connections that have. One more is refused. 4,096.
    pub connections: usize,
    /// The time from connecting to the end of the handshake. Five seconds.
    pub handshake: Duration,
    /// How long a client's machine may be silent, also to the kernel's questions, before its connection counts as
    /// broken. One minute; less than four seconds is four.
    pub silence: Duration,
    /// The length of a message, in bytes. 16 MiB.
    pub frame: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        let (handshake, silence) = (Duration::from_secs(5), Duration::from_secs(60));
        Limits { strangers: 256, connections: 4096, handshake, silence, frame: 16 << 20 }
    }
}

impl Server {
    /// A server for those who have this key.
    pub fn new(key: Key) -> Server {
        Server { key, tls: None, limits: Limits::default(), registry: Registry::default() }
    }

    /// Speaks TLS, and with nobody without. Python's clients know none.
    pub fn tls(mut self, tls: Tls) -> Server {
        self.tls = Some(tls);
        self
    }

    /// Other limits than the usual ones.
    pub fn limits(mut self, limits: Limits) -> Server {
        self.limits = limits;
        self
    }

    /// A queue under a name, the same for everybody: `register(name, callable=lambda: queue)`.
    pub fn share(mut self, name: &str, config: QueueConfig) -> Server {
        self.registry.share(name, config);
        self
    }

    /// A name under which everybody who asks gets a new queue: `register(name, callable=Queue)`. It ends
    /// with the last reference to it.
    pub fn fresh(mut self, name: &str, config: QueueConfig) -> Server {
        self.registry.fresh(name, config);
        self
    }

    /// Takes an address. A server that was killed a moment ago is no hindrance (`SO_REUSEADDR`).
    ///
    /// # Errors
    ///
    /// When the address can't be had; if another program has it, which one, if that can be known.
    pub fn listen(self, address: impl ToSocketAddrs) -> Result<Listening, ServeError> {
        let wanted: Vec<_> = address.to_socket_addrs().map_err(ServeError::Run)?.collect();
        let listener = TcpListener::bind(&*wanted).map_err(|error| ServeError::Bind {
            occupant: wanted
                .iter()
                .find_map(|address| occupant(*address))
                .filter(|_| error.kind() == AddrInUse),
            wanted,
            error,
        })?;
        // Those who come at the same time wait here to be accepted; std asks for 128.
        listen(&listener, Backlog::MAXCONN).map_err(|error| ServeError::Run(error.into()))?;
        let address = listener.local_addr().map_err(ServeError::Run)?;
        let (stop, stopped) = UnixStream::pair().map_err(ServeError::Run)?;
        let poll = Poll::new(listener, stopped, (self.key, self.tls), self.limits, self.registry)
            .map_err(ServeError::Run)?;
        Ok(Listening { poll, address, stop })
    }
}

/// A server that has its address and does not serve yet. Who connects meanwhile waits.
#[must_use = "it serves nobody before `run` or `spawn`"]
pub struct Listening {
    poll: Poll,
    address: SocketAddr,
    stop: UnixStream,
}

impl Listening {
    /// The address, with the port that the kernel chose if 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves on this thread until a client asks for the server's `shutdown`.
    ///
    /// # Errors
    ///
    /// When the kernel no longer says who has something to say.
    pub fn run(self) -> Result<(), ServeError> {
        self.poll.run().map_err(ServeError::Run)
    }

    /// Serves on a thread of its own, until the handle is dropped or stopped.
    ///
    /// # Errors
    ///
    /// When there can be no further thread.
    pub fn spawn(self) -> Result<Running, ServeError> {
        let Listening { poll, address, stop } = self;
        let thread = std::thread::Builder::new().name("queue server".into());
        let thread = thread.spawn(move || poll.run()).map_err(ServeError::Run)?;
        Ok(Running { address, stop, thread: Some(thread) })
    }
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listening").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A server that serves. Dropping it ends it, and all its connections.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: UnixStream,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    /// Where it can be reached.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A server that has ended by itself does not read it.
        let _ = self.stop.write_all(b"x");
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
