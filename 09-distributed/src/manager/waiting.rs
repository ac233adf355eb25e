use std::time::Instant;

use crate::manager::conn::{Parked, Phase};
use crate::manager::message::{Request, Response};
use crate::manager::poll::Poll;
use crate::manager::registry::no_object;
use crate::pickle::Value;
use crate::queue::{Answer, Call, Caller, Kind, Queue, Wait};

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
        // Results of plain tasks go to another queue: if that is full, it is for the worker to wait.
        let target = object.queue.config().results.clone();
        let target = target.and_then(|name| self.registry.shared(&name));
        if let (Call::Complete(_), Some(target)) = (&call, &target)
            && self.registry.object(target).is_some_and(|target| target.queue.is_full())
        {
            return self.answer(id, &name, Queue::give_up(Kind::Room));
        }
        match self.try_call(id, &name, &mut call) {
            Answer::Wait(kind) => {
                let until = match call.wait() {
                    Wait::No => return self.answer(id, &name, Queue::give_up(kind)),
                    Wait::Forever => None,
                    Wait::For(time) => Some(Instant::now() + time),
                };
                self.park(id, Parked { object: name.clone(), call, kind, until });
                self.wake(&name);
            }
            answer => {
                self.answer(id, &name, answer);
                self.forward(&name, target.as_deref());
                self.wake(&name);
            }
        }
    }

    fn try_call(&mut self, id: u64, name: &str, call: &mut Call) -> Answer {
        let (Some(object), Some(conn)) = (self.registry.object(name), self.conns.get_mut(&id))
        else {
            return Answer::type_error("it is gone");
        };
        let who = Caller { id, name: &conn.name, now: Instant::now() };
        let answer = object.queue.call(call, who);
        // What it has on lease ends with the connection.
        let took = matches!((&*call, &answer), (Call::Take(..), Answer::Return(_)));
        if took && !conn.took.iter().any(|took| took == name) {
            conn.took.push(name.to_owned());
        }
        answer
    }

    /// Puts results where those look for them who put the tasks without an id.
    fn forward(&mut self, name: &str, target: Option<&str>) {
        let Some(object) = self.registry.object(name) else { return };
        let results = std::mem::take(&mut object.queue.outgoing);
        if let (false, Some(target)) = (results.is_empty(), target)
            && let Some(object) = self.registry.object(target)
        {
            results.into_iter().for_each(|result| object.queue.put(result));
            self.wake(target);
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
            let answer = self.try_call(id, name, &mut parked.call);
            if let (Answer::Wait(_), Some(object)) = (&answer, self.registry.object(name)) {
                // What was there could not be lent any more. It keeps its place.
                object.waiting(kind).push_front(id);
                if let Some(conn) = self.conns.get_mut(&id) {
                    conn.phase = Phase::Waiting(parked);
                }
                continue;
            }
            self.set_timer(id, None);
            self.answer(id, name, answer);
            self.unread.push(id);
        }
        // Nobody else tells the first of those who wait for a task when a lease ends.
        let Some(object) = self.registry.object(name) else { return };
        let due = object.queue.next_due();
        let first = object.waiting(Kind::Task).front().copied();
        if let (Some(due), Some(id)) = (due, first)
            && let Some(Phase::Waiting(parked)) = self.conns.get(&id).map(|conn| &conn.phase)
        {
            let at = parked.until.map_or(due, |until| until.min(due));
            self.set_timer(id, Some(at));
        }
    }

    fn next_waiting(&mut self, name: &str) -> Option<(u64, Kind)> {
        let object = self.registry.object(name)?;
        let now = Instant::now();
        for kind in Kind::ALL {
            if object.waiting(kind).is_empty() {
                continue;
            }
            if object.queue.is_ready(kind, now) {
                return object.waiting(kind).pop_front().map(|id| (id, kind));
            }
        }
        // Each reader of the log has read up to somewhere else.
        let end = object.queue.log_end();
        let reads = |id: &u64| match self.conns.get(id).map(|conn| &conn.phase) {
            Some(Phase::Waiting(Parked { call: Call::Results { after, .. }, .. })) => *after < end,
            _ => true,
        };
        let waiting = object.waiting(Kind::Result);
        let at = waiting.iter().position(reads)?;
        waiting.remove(at).map(|id| (id, Kind::Result))
    }

    /// A timer has run out: of a call that waited, of a handshake, of a last answer.
    pub(super) fn expire(&mut self, id: u64, now: Instant) {
        self.set_timer(id, None);
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let Phase::Waiting(parked) = &conn.phase else { return self.close(id, false) };
        let (kind, name) = (parked.kind, parked.object.clone());
        if parked.until.is_none_or(|until| until > now) {
            // A lease has ended, or a delay.
            return self.changed.push(name);
        }
        conn.phase = Phase::Calling;
        if let Some(object) = self.registry.object(&name) {
            object.waiting(kind).retain(|waiting| *waiting != id);
        }
        self.answer(id, &name, Queue::give_up(kind));
        self.unread.push(id);
        // The next one in the row has the timer now.
        self.changed.push(name);
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
