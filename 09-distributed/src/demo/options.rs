//! What all commands need to know: where, and with which key.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use distributed::{CallError, ConnectError, Key, KeyError, Manager, RemoteTasks, TaskQueue, Tls};

use crate::demo::{self, TASKS};

/// Read from the line of the command.
#[derive(Debug)]
pub(crate) struct Options {
    /// As it was given: a host, a port, or both.
    pub(crate) address: String,
    /// It was given: there is a server already.
    pub(crate) connect: bool,
    pub(crate) key_file: Option<PathBuf>,
    /// This side's file.
    pub(crate) tls: Option<PathBuf>,
    /// The URL of a Redis server that is to be used instead of ours.
    pub(crate) redis: Option<String>,
    /// Beyond loopback, unencrypted, on purpose.
    pub(crate) plain: bool,
    pub(crate) tasks: u32,
    pub(crate) stay: bool,
    pub(crate) file: Option<PathBuf>,
    /// Print once, and end.
    pub(crate) once: bool,
    /// What follows the command.
    pub(crate) words: Vec<String>,
    /// What is to be counted.
    pub(crate) paths: Vec<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        let address = "127.0.0.1:5000".to_owned();
        Options {
            address,
            connect: false,
            key_file: None,
            tls: None,
            redis: None,
            plain: false,
            tasks: 10,
            stay: false,
            file: None,
            once: false,
            words: Vec::new(),
            paths: Vec::new(),
        }
    }
}

/// How long a server that isn't there may stay away.
pub(crate) const ABSENCE: Duration = Duration::from_secs(30);

impl Options {
    /// The host of the address, as it was given.
    pub(crate) fn host(&self) -> &str {
        self.address.rsplit_once(':').map_or(&*self.address, |(host, _)| host)
    }

    /// `HOST:PORT`, or `HOST` with the tutorial's port.
    pub(crate) fn resolved(&self) -> Result<SocketAddr, String> {
        let failed = |error| format!("no address {}: {error}", self.address);
        let whole = self.address.to_socket_addrs();
        let found = whole.or_else(|_| (&*self.address, 5000).to_socket_addrs()).map_err(failed)?;
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|address| !address.is_ipv4());
        found.first().copied().ok_or_else(|| format!("no address {}", self.address))
    }

    /// The key, from the file or the environment. Never from the line of the command: that is for everybody to read
    /// in `ps`.
    pub(crate) fn given_key(&self) -> Result<Option<Key>, KeyError> {
        let Some(file) = &self.key_file else {
            let key = std::env::var_os("AUTHKEY");
            return Ok(key.map(|key| Key::new(std::os::unix::ffi::OsStrExt::as_bytes(&*key))));
        };
        Key::from_file(file).map(Some)
    }

    /// The key that was given, or the tutorial's.
    pub(crate) fn key(&self, ip: IpAddr) -> Result<Key, Box<dyn std::error::Error>> {
        let key = match self.given_key()? {
            Some(key) => key,
            None => {
                if ip.is_loopback() {
                    eprintln!(
                        "distributed: the key is the tutorial's `abc`: good on this machine, for trying out"
                    );
                }
                Key::new(b"abc")
            }
        };
        if !ip.is_loopback() {
            if key.is_weak() {
                return Err("beyond this machine a key needs 16 bytes or more: make one with `keygen FILE`, and give \
                            it to both sides with --key-file FILE"
                    .into());
            }
            if self.tls.is_none() && !self.plain {
                return Err("beyond this machine everything would be readable on its way: encrypt it with --tls FILE \
                            (keygen makes one for each side; a program that has TLS is built with `--features tls`), \
                            or say --plain for a network that you trust"
                    .into());
            }
        }
        Ok(key)
    }

    pub(crate) fn tls(&self) -> Result<Option<Tls>, KeyError> {
        self.tls.as_ref().map(Tls::from_file).transpose()
    }

    /// Whether a server was named.
    pub(crate) fn has_server(&self) -> bool {
        self.connect || self.redis.is_some()
    }

    /// Whether something was given that only one who is named can want.
    pub(crate) fn is_for_server(&self) -> bool {
        self.key_file.is_some() || self.tls.is_some() || self.plain
    }

    /// The tasks, in whatever server.
    pub(crate) fn open_tasks(&self) -> Result<Box<dyn TaskQueue>, Box<dyn std::error::Error>> {
        Ok(match &self.redis {
            Some(url) => Box::new(demo::redis::open(url, self)?),
            None => Box::new(RemoteTasks::open(&self.connect()?, TASKS, ABSENCE)?),
        })
    }

    /// The server, when it is there.
    pub(crate) fn connect(&self) -> Result<Manager, Box<dyn std::error::Error>> {
        let address = self.resolved()?;
        let key = self.key(address.ip())?;
        let mut manager = Manager::at(address, &key);
        if let Some(tls) = self.tls()? {
            manager = manager.tls(tls);
        }
        manager.reach(Duration::from_secs(5)).map_err(|error| match error {
            ConnectError::Unreachable(..) => {
                format!("{error}\nStart one with `cargo run -p distributed -- serve`.").into()
            }
            ConnectError::Call(_, CallError::Lost(_)) if self.tls.is_none() => {
                format!("{error}\nIf that server speaks TLS, say --tls FILE.").into()
            }
            error => error.into(),
        })
    }
}
