use std::time::Instant;

use crate::manager::conn::{Parked, Phase};
use crate::manager::message::{Request, Response};
use crate::manager::poll::Poll;
use crate::manager::registry::no_object;
use crate::pickle::Value;
use crate::queue::{Answer, Call, Kind, Queue, Wait};

/// Calls of methods, those that have to wait, and what ends their waiting.
impl Poll {
    /// Calls a method of an object, if it is exposed.
    pub(super) fn call(&mut self, id: u64, request: Request) {
        let Request { object: name, method, positional, keywords } = request;
        let name = name.unwrap_or_default();
        let Some(object) = self.registry.object(&name) else {
            return self.respond(id, no_object(&name));
        };
        // What Python's server does for every object.
        let refused = match &*method {
            "__str__" | "__repr__" => Some(Response::Return(Value::Str(object.description()))),
            "#GETVALUE" => Some(Response::Unserializable("a queue does not travel\n".to_owned())),
            _ if !object.exposes(&method) => Some(Response::failed(format_args!(
                "AttributeError: method {method:?} of {} is not exposed",
                object.description()
            ))),
            _ => None,
        };
        if let Some(response) = refused {
            return self.respond(id, response);
        }
        let mut call = match Call::parse(&method, positional, keywords) {
            Ok(call) => call,
            Err(answer) => return self.answer(id, &name, answer),
        };
        match object.queue.call(&mut call) {
            Answer::Wait(kind) => match call.wait() {
                Wait::No => self.answer(id, &name, Queue::give_up(kind)),
                Wait::Forever => self.park(id, Parked { object: name, call, kind, until: None }),
                Wait::For(time) => {
                    let until = Some(Instant::now() + time);
                    self.park(id, Parked { object: name, call, kind, until });
                }
            },
            answer => {
                self.answer(id, &name, answer);
                self.wake(&name);
            }
        }
    }

    fn park(&mut self, id: u64, parked: Parked) {
        let Some(object) = self.registry.object(&parked.object) else { return };
        object.waiting(parked.kind).push_back(id);
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let until = parked.until;
        conn.phase = Phase::Waiting(parked);
        self.set_timer(id, until);
    }

    /// Answers those who wait for what is there now, first come first served.
    pub(super) fn wake(&mut self, name: &str) {
        while let Some((id, kind)) = self.next_waiting(name) {
            let Some(conn) = self.conns.get_mut(&id) else { continue };
            // A worker that was killed while it waited takes nothing with it: as far as the kernel knows it is
            // there. If not even the kernel knows better yet, the answer comes back: see `close`.
            if !conn.transport.is_alive() {
                self.close(id, true);
                continue;
            }
            let Phase::Waiting(mut parked) = std::mem::replace(&mut conn.phase, Phase::Calling)
            else {
                continue;
            };
            let Some(object) = self.registry.object(name) else { return };
            let answer = match object.queue.call(&mut parked.call) {
                Answer::Wait(_) => Queue::give_up(kind),
                answer => answer,
            };
            self.set_timer(id, None);
            self.answer(id, name, answer);
            self.unread.push(id);
        }
    }

    fn next_waiting(&mut self, name: &str) -> Option<(u64, Kind)> {
        let object = self.registry.object(name)?;
        [Kind::Item, Kind::Room, Kind::Done].into_iter().find_map(|kind| {
            let ready = object.queue.is_ready(kind);
            let first = ready.then(|| object.waiting(kind).pop_front()).flatten();
            first.map(|id| (id, kind))
        })
    }

    /// A timer has run out: of a call that waited, of a handshake, of a last answer.
    pub(super) fn expire(&mut self, id: u64, now: Instant) {
        self.set_timer(id, None);
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let Phase::Waiting(parked) = &conn.phase else { return self.close(id, false) };
        debug_assert!(parked.until.is_some_and(|until| until <= now), "a timer is a call's own");
        let (kind, name) = (parked.kind, parked.object.clone());
        conn.phase = Phase::Calling;
        if let Some(object) = self.registry.object(&name) {
            object.waiting(kind).retain(|waiting| *waiting != id);
        }
        self.answer(id, &name, Queue::give_up(kind));
        self.unread.push(id);
    }

    fn answer(&mut self, id: u64, object: &str, answer: Answer) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        match answer {
            Answer::Return(value) => drop(conn.send(Response::Return(value))),
            Answer::Hand(value) => {
                let value = conn.send(Response::Return(value));
                conn.unconfirmed = Some((object.to_owned(), value));
            }
            Answer::Raise(class, text) => {
                let parts = if text.is_empty() { Vec::new() } else { vec![Value::Str(text)] };
                conn.send(Response::Error(class, parts));
            }
            Answer::Wait(kind) => self.answer(id, object, Queue::give_up(kind)),
        }
    }

    fn respond(&mut self, id: u64, response: Response) {
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.send(response);
        }
    }
}
