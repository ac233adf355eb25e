use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::manager::conn::{Conn, Interest, Phase};
use crate::manager::control::{Control, control};
use crate::manager::message::{Request, Response};
use crate::manager::registry::Registry;
use crate::manager::server::Limits;
use crate::pickle::Value;
use crate::wire::{
    AuthError, CHALLENGE_LIMIT, Eager, FAILURE, Handshake, Key, Step, Tls, Transport,
};

/// The whole server: one thread that asks the kernel who has something to say (epoll(7)), and never
/// waits for anybody in particular. A stranger who says nothing costs it a few hundred bytes and
/// no thread, and nothing in it needs a lock.
pub(crate) struct Poll {
    epoll: Epoll,
    listener: TcpListener,
    /// Ends the loop when it is closed, or written to.
    stop: UnixStream,
    random: File,
    key: Key,
    tls: Option<Tls>,
    limits: Limits,
    pub(super) registry: Registry,
    pub(super) conns: BTreeMap<u64, Conn>,
    /// Numbers are given once: an event that was fetched for a connection that is gone meets no other.
    next: u64,
    /// In order of arrival.
    strangers: BTreeSet<u64>,
    pub(super) timers: BTreeSet<(Instant, u64)>,
    /// No descriptor was free: nobody is accepted until a connection ends.
    paused: bool,
    stopping: bool,
    /// Connections that may have another request in their inbox.
    pub(super) unread: Vec<u64>,
    /// Objects to which something was put back.
    pub(super) changed: Vec<String>,
    scratch: Vec<u8>,
    eager: Eager,
}

const LISTENER: u64 = 0;
const STOP: u64 = 1;

impl Poll {
    pub(crate) fn new(
        listener: TcpListener,
        stop: UnixStream,
        (key, tls): (Key, Option<Tls>),
        limits: Limits,
        registry: Registry,
    ) -> io::Result<Poll> {
        listener.set_nonblocking(true)?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
        epoll.add(&stop, EpollEvent::new(EpollFlags::EPOLLIN, STOP))?;
        Ok(Poll {
            epoll,
            listener,
            stop,
            random: File::open("/dev/urandom")?,
            key,
            tls,
            limits,
            registry,
            conns: BTreeMap::new(),
            next: 2,
            strangers: BTreeSet::new(),
            timers: BTreeSet::new(),
            paused: false,
            stopping: false,
            unread: Vec::new(),
            changed: Vec::new(),
            scratch: vec![0; 1 << 16],
            eager: Eager::default(),
        })
    }

    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); 256];
        while !self.stopping {
            let timeout = self.timeout();
            let mut wait = |timeout| self.epoll.wait(&mut events, timeout);
            let soon =
                self.eager.watch(|| wait(EpollTimeout::ZERO).ok().filter(|ready| *ready > 0));
            let ready = match soon.map_or_else(|| wait(timeout), Ok) {
                Ok(ready) => ready,
                Err(nix::errno::Errno::EINTR) => 0,
                Err(error) => return Err(error.into()),
            };
            for event in &events[..ready] {
                match event.data() {
                    LISTENER => self.accept(),
                    STOP => self.stopping = true,
                    id => self.handle(id, event.events()),
                }
                self.settle();
            }
            let now = Instant::now();
            while let Some((_, id)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
                self.expire(id, now);
                self.settle();
            }
        }
        drop(self.stop);
        Ok(())
    }

    fn timeout(&self) -> EpollTimeout {
        let Some((at, _)) = self.timers.first() else { return EpollTimeout::NONE };
        // Rounded up: a millisecond too early would be a busy loop for that millisecond.
        let left = at.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
        EpollTimeout::try_from(left).unwrap_or(EpollTimeout::MAX)
    }

    /// Everything that follows from what was just done.
    fn settle(&mut self) {
        loop {
            if let Some(object) = self.changed.pop() {
                self.wake(&object);
            } else if let Some(id) = self.unread.pop() {
                self.pump(id);
            } else {
                return;
            }
        }
    }

    // Who comes and goes.

    fn accept(&mut self) {
        // A crowd is let in by and by: those who are inside want something too.
        for _ in 0..64 {
            match self.listener.accept() {
                Ok((stream, _)) => self.welcome(stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => {
                    // No descriptor or no memory is left. Strangers are the first to go.
                    if !self.evict() {
                        self.paused = self.epoll.delete(&self.listener).is_ok();
                        return;
                    }
                }
            }
        }
    }

    /// A connection that can't be set up is dropped: its other side sees that.
    fn welcome(&mut self, stream: TcpStream) {
        let Ok(session) = self.tls.as_ref().map(Tls::accept).transpose() else { return };
        let Ok(transport) = Transport::new(stream, session) else { return };
        let mut random = [0; 40];
        if transport.set_silence(self.limits.silence).is_err() {
            return;
        }
        if transport.set_nonblocking().is_err() || self.random.read_exact(&mut random).is_err() {
            return;
        }
        let (handshake, greeting) = Handshake::serve(self.key.clone(), random);
        let mut conn = Conn::new(transport, handshake, CHALLENGE_LIMIT);
        conn.send_bytes(&greeting);
        let id = self.next;
        let event = EpollEvent::new(flags(conn.interest), id);
        if conn.flush().is_err() || self.epoll.add(&conn.transport, event).is_err() {
            return;
        }
        self.next += 1;
        self.conns.insert(id, conn);
        self.strangers.insert(id);
        self.set_timer(id, Some(Instant::now() + self.limits.handshake));
        // The one that has been silent for longest goes. Who has the key is through in a moment: a
        // thousand silent sockets can't shut him out.
        if self.strangers.len() > self.limits.strangers {
            self.evict();
        }
    }

    fn evict(&mut self) -> bool {
        let oldest = self.strangers.first().copied();
        oldest.inspect(|id| self.close(*id, false)).is_some()
    }

    /// Ends a connection. If its last answer can't have arrived (`lost`), what was in it goes back.
    ///
    /// Linux says which: who ends with something unread resets the connection, who had read
    /// everything closes it (RFC 2525, 2.17).
    pub(super) fn close(&mut self, id: u64, lost: bool) {
        let Some(conn) = self.conns.remove(&id) else { return };
        self.strangers.remove(&id);
        if let Some(at) = conn.timer {
            self.timers.remove(&(at, id));
        }
        let lost = lost || conn.has_unwritten();
        if let Some((object, value)) = conn.unconfirmed.filter(|_| lost)
            && let Some(it) = self.registry.object(&object)
        {
            it.queue.put_back(value);
            self.changed.push(object);
        }
        if let Phase::Waiting(parked) = conn.phase
            && let Some(object) = self.registry.object(&parked.object)
        {
            object.waiting(parked.kind).retain(|waiting| *waiting != id);
        }
        for object in conn.took {
            if self.registry.object(&object).is_some_and(|it| it.queue.leave(id)) {
                self.changed.push(object);
            }
        }
        let _ = self.epoll.delete(&conn.transport);
        if self.paused {
            let event = EpollEvent::new(EpollFlags::EPOLLIN, LISTENER);
            self.paused = self.epoll.add(&self.listener, event).is_err();
        }
    }

    pub(super) fn set_timer(&mut self, id: u64, at: Option<Instant>) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if let Some(old) = std::mem::replace(&mut conn.timer, at) {
            self.timers.remove(&(old, id));
        }
        self.timers.extend(at.map(|at| (at, id)));
    }

    /// Its other side ended. Whether it did so before our last answer arrived may not be known yet: the
    /// answer and the end may have met on the way. Then a reset follows, and until it could have come the
    /// value is kept.
    fn ended(&mut self, id: u64) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if conn.unconfirmed.is_none() || conn.transport.is_broken() {
            return self.close(id, true);
        }
        conn.phase = Phase::Ended;
        self.set_timer(id, Some(Instant::now() + Duration::from_secs(1)));
        self.update(id);
    }

    // What they say.

    fn handle(&mut self, id: u64, events: EpollFlags) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let broken = events.intersects(EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP);
        if conn.interest.read {
            match conn.fill(&mut self.scratch) {
                Ok(true) => {}
                Ok(false) => return self.ended(id),
                Err(_) => return self.close(id, true),
            }
        } else if broken || events.contains(EpollFlags::EPOLLRDHUP) {
            return self.close(id, broken);
        }
        self.pump(id);
    }

    /// Answers what has come, as far as the connection takes the answers.
    fn pump(&mut self, id: u64) {
        loop {
            let Some(conn) = self.conns.get_mut(&id) else { return };
            if conn.flush().is_err() {
                return self.close(id, true);
            }
            match conn.phase {
                Phase::Closing if !conn.has_unwritten() => return self.close(id, false),
                Phase::Closing | Phase::Ended | Phase::Waiting(_) => break,
                _ if conn.has_unwritten() => break,
                _ => {}
            }
            let refused = match &conn.phase {
                Phase::Stranger(_) => self.greet(id),
                _ => self.serve(id),
            };
            match refused {
                Ok(true) => {}
                Ok(false) => break,
                Err(Refused) => return self.close(id, false),
            }
        }
        self.update(id);
    }

    /// Tells the kernel what is of interest now, if that has changed.
    pub(super) fn update(&mut self, id: u64) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let wanted = conn.wanted();
        if wanted == conn.interest {
            return;
        }
        conn.interest = wanted;
        if self.epoll.modify(&conn.transport, &mut EpollEvent::new(flags(wanted), id)).is_err() {
            self.close(id, true);
        }
    }

    /// The next step of the handshake; false if nothing has come.
    fn greet(&mut self, id: u64) -> Result<bool, Refused> {
        let Some(conn) = self.conns.get_mut(&id) else { return Ok(false) };
        let Phase::Stranger(handshake) = &mut conn.phase else { return Ok(false) };
        let Some(frame) = conn.inbox.next().map_err(|_| Refused)? else { return Ok(false) };
        // The server sends its only challenge before this.
        match handshake.step(frame, || [0; 40]) {
            Ok(Step::Send(answer)) => {
                conn.send_bytes(&answer);
                // It has shown that it has the key: no crowd that comes later can crowd it out.
                self.strangers.remove(&id);
            }
            Ok(Step::SendLast(_) | Step::Done) => {
                if self.conns.len() - self.strangers.len() > self.limits.connections {
                    return Err(Refused);
                }
                let Some(conn) = self.conns.get_mut(&id) else { return Ok(false) };
                conn.inbox.limit = self.limits.frame;
                conn.phase = Phase::Control;
                self.set_timer(id, None);
            }
            Err(AuthError::WrongKey) => {
                // Its timer runs on: it may take as long to read this as to say who it is.
                conn.send_bytes(FAILURE);
                conn.phase = Phase::Closing;
            }
            Err(_) => return Err(Refused),
        }
        Ok(true)
    }

    /// The next request of somebody who has the key; false if none has come.
    fn serve(&mut self, id: u64) -> Result<bool, Refused> {
        let Some(conn) = self.conns.get_mut(&id) else { return Ok(false) };
        let Some(frame) = conn.inbox.next().map_err(|_| Refused)? else { return Ok(false) };
        let request = Request::read(frame);
        // Who asks again has got the last answer.
        conn.unconfirmed = None;
        let calling = matches!(conn.phase, Phase::Calling);
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                conn.send(Response::failed(error));
                if !calling {
                    self.finish(id);
                }
                return Ok(true);
            }
        };
        if calling {
            self.call(id, request);
            return Ok(true);
        }
        match control(&mut self.registry, request) {
            Control::Answer(answer) => {
                conn.send(answer);
                self.finish(id);
            }
            Control::Serve(name) => {
                conn.name = name.chars().take(80).collect();
                conn.send(Response::Return(Value::None));
                conn.phase = Phase::Calling;
            }
            Control::Shutdown => {
                conn.send(Response::Return(Value::None));
                self.finish(id);
                self.stopping = true;
            }
        }
        Ok(true)
    }

    /// The answer was the last one. Who does not take it in time is dropped.
    fn finish(&mut self, id: u64) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        conn.phase = Phase::Closing;
        self.set_timer(id, Some(Instant::now() + self.limits.handshake));
    }
}

/// The connection is to be closed without a word.
struct Refused;

/// That a connection broke is always told.
fn flags(interest: Interest) -> EpollFlags {
    let mut flags = EpollFlags::empty();
    flags.set(EpollFlags::EPOLLRDHUP, interest.end);
    flags.set(EpollFlags::EPOLLIN, interest.read);
    flags.set(EpollFlags::EPOLLOUT, interest.write);
    flags
}
