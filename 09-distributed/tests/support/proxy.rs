//! A network with faults, between clients and a server.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::libc::linger;
use nix::sys::socket::{setsockopt, sockopt};

/// What happens to a connection. Where bytes are counted, they are those of the one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    /// After so many both ends see it closed, perhaps in the middle of a message.
    Cut(Way, usize),
    /// After so many nothing more comes through in this direction, not even its end.
    Silent(Way, usize),
    /// The server does what is asked for with this word, and its answer becomes a reset.
    ResetFor(&'static str),
    /// The same for what comes as this piece: with clients who wait for their answers, a message.
    ResetAt(usize),
    /// Each piece comes this much later.
    Late(Duration),
    /// One at a time.
    Dribble,
    /// So many now and then.
    Slow(Way, usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Way {
    /// To the server.
    There,
    Back,
}

/// Passes connections on to a server, until the test ends.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    made: Arc<AtomicUsize>,
    struck: Arc<AtomicUsize>,
    turned: Turned,
}

type Turned = Arc<Mutex<Option<Fault>>>;

/// A connection, as both its directions see it.
struct Link {
    near: TcpStream,
    far: TcpStream,
    fault: Fault,
    turned: Turned,
    struck: Arc<AtomicUsize>,
    asked: AtomicBool,
    reset: AtomicBool,
}

impl Proxy {
    /// With a fault for each connection: they are numbered.
    pub(crate) fn new(
        server: SocketAddr,
        mut fault: impl FnMut(usize) -> Fault + Send + 'static,
    ) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has one");
        let (struck, turned) = (Arc::default(), Turned::default());
        let proxy = Proxy { address, made: Arc::default(), struck, turned };
        let made = Arc::clone(&proxy.made);
        let (struck, turned) = (Arc::clone(&proxy.struck), Arc::clone(&proxy.turned));
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let fault = fault(made.fetch_add(1, Ordering::Relaxed));
                let Ok(far) = TcpStream::connect(server) else { continue };
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                let (struck, turned) = (Arc::clone(&struck), Arc::clone(&turned));
                let (asked, reset) = (false.into(), false.into());
                let link = Arc::new(Link { near, far, fault, turned, struck, asked, reset });
                for way in [Way::There, Way::Back] {
                    let link = Arc::clone(&link);
                    std::thread::spawn(move || link.pass(way));
                }
            }
        });
        proxy
    }

    /// How many connections there were.
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    /// How many of them were cut, became silent, or were reset.
    pub(crate) fn struck(&self) -> usize {
        self.struck.load(Ordering::Relaxed)
    }

    /// From now on this happens to all of them.
    pub(crate) fn turn(&self, fault: Fault) {
        *self.turned.lock().expect("no panic") = Some(fault);
    }
}

impl Link {
    fn fault(&self) -> Fault {
        self.turned.lock().expect("no panic").unwrap_or(self.fault)
    }

    fn pass(&self, way: Way) {
        let (mut from, mut to) = match way {
            Way::There => (&self.near, &self.far),
            Way::Back => (&self.far, &self.near),
        };
        let (mut buffer, mut seen, mut pieces) = (vec![0; 1 << 16], 0, 0);
        while let Ok(len @ 1..) = from.read(&mut buffer) {
            let bytes = &buffer[..len];
            let before = seen;
            seen += len;
            pieces += 1;
            let passed = match self.fault() {
                Fault::Cut(cut, after) if cut == way && seen > after => {
                    self.struck.fetch_add(1, Ordering::Relaxed);
                    let _ = to.write_all(&bytes[..after.saturating_sub(before)]);
                    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                    return;
                }
                Fault::Silent(silent, after) if silent == way && seen > after => {
                    let first = usize::from(before <= after);
                    self.struck.fetch_add(first, Ordering::Relaxed);
                    let _ = to.write_all(&bytes[..after.saturating_sub(before)]);
                    continue;
                }
                Fault::ResetFor(word) if way == Way::There => {
                    if bytes.windows(word.len()).any(|it| it == word.as_bytes()) {
                        self.asked.store(true, Ordering::SeqCst);
                    }
                    to.write_all(bytes)
                }
                Fault::ResetAt(piece) if way == Way::There => {
                    self.asked.store(pieces >= piece, Ordering::SeqCst);
                    to.write_all(bytes)
                }
                Fault::ResetFor(_) | Fault::ResetAt(_) if self.asked.load(Ordering::SeqCst) => {
                    return self.reset();
                }
                Fault::Dribble => bytes.iter().try_for_each(|byte| to.write_all(&[*byte])),
                Fault::Late(late) => {
                    pause(late);
                    to.write_all(bytes)
                }
                Fault::Slow(slow, most) if slow == way => bytes.chunks(most).try_for_each(|some| {
                    pause(Duration::from_millis(20));
                    to.write_all(some)
                }),
                _ => to.write_all(bytes),
            };
            if passed.is_err() {
                break;
            }
        }
        let silent = matches!(self.fault(), Fault::Silent(silent, _) if silent == way);
        if !silent && !self.reset.load(Ordering::SeqCst) {
            let _ = to.shutdown(Shutdown::Write);
        }
    }

    /// Both sockets are closed with a reset, when both directions have let go of them.
    fn reset(&self) {
        self.struck.fetch_add(1, Ordering::Relaxed);
        self.reset.store(true, Ordering::SeqCst);
        for socket in [&self.near, &self.far] {
            let at_once = linger { l_onoff: 1, l_linger: 0 };
            setsockopt(socket, sockopt::Linger, &at_once).expect("a socket");
            // Wakes the other direction, and tells nobody.
            let _ = socket.shutdown(Shutdown::Read);
        }
    }
}

fn pause(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "the pause is the fault")]
    std::thread::sleep(time);
}
