use std::time::Instant;

use crate::pickle::{Class, Value};
use crate::queue::state::{Caller, Failure, Lent, Queue, Task, Worker, count};
use crate::queue::{Answer, Kind};

/// Tasks that are lent, not given: who does not come back with a result in time, or whose connection closes,
/// has lost the task to the next one, and what he brings later is refused.
impl Queue {
    /// Puts those whose ids were never put before: who is not sure whether a `put_tasks` arrived does it
    /// again. All of them or none.
    pub(super) fn put_tasks(&mut self, tasks: Vec<(String, Value)>) -> Answer {
        for (id, body) in &tasks {
            if let Err(refused) = self.check_length(&format!("the body of {id:?}"), body) {
                return refused;
            }
        }
        let room = self.config.capacity.saturating_sub(self.held());
        if tasks.iter().filter(|(id, _)| !self.known.contains(id)).count() > room {
            return Answer::Raise(Class::Full, String::new());
        }
        let mut put = |(id, body): (String, Value)| {
            let new = self.known.insert(id.clone());
            if new {
                self.named.push_back(Task { id: Some(id), body, attempts: 0, error: None });
            }
            new.into()
        };
        Answer::Return(Value::List(tasks.into_iter().map(&mut put).collect()))
    }

    /// Lends up to so many tasks: those first whose lease has ended. It ends here, not when the clock says so: a late
    /// result is welcome as long as nobody else has the task.
    pub(super) fn take(&mut self, max: usize, who: Caller<'_>) -> Answer {
        let mut taken = Vec::new();
        while taken.len() < max {
            let Some(mut task) = self.next_task(who.now) else { break };
            if task.attempts >= self.config.max_attempts {
                self.bury(task);
                continue;
            }
            task.attempts += 1;
            self.fence += 1;
            let fence = self.fence;
            let id = task.id.clone().unwrap_or_else(|| format!("#{fence}"));
            taken.push(Value::Tuple(vec![
                Value::from(i128::from(fence)),
                Value::Str(id),
                Value::Int(task.attempts.into()),
                task.body.clone(),
            ]));
            let deadline = who.now + self.config.lease;
            self.lent.insert(fence, Lent { task, holder: who.id, deadline });
            self.deadlines.insert((deadline, fence));
        }
        if taken.is_empty() {
            return Answer::Wait(Kind::Task);
        }
        let worker = || Worker { name: who.name.to_owned(), done: 0 };
        self.workers.entry(who.id).or_insert_with(worker);
        Answer::Return(Value::List(taken))
    }

    fn next_task(&mut self, now: Instant) -> Option<Task> {
        if let Some((_, fence)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            let mut task = self.end_lease(fence)?.task;
            task.error = Some("its worker was silent for longer than the lease".to_owned());
            return Some(task);
        }
        if let Some(entry) = self.delayed.first_entry().filter(|entry| entry.key().0 <= now) {
            return Some(entry.remove());
        }
        let plain = self.lends_plain();
        self.named.pop_front().or_else(|| plain.then(|| self.plain.pop_front()).flatten())
    }

    fn end_lease(&mut self, fence: u64) -> Option<Lent> {
        let lent = self.lent.remove(&fence)?;
        self.deadlines.remove(&(lent.deadline, fence));
        Some(lent)
    }

    /// The heartbeat. From any connection: a worker beats on another one than it works on.
    pub(super) fn extend(&mut self, fences: &[u64], who: Caller<'_>) -> Answer {
        let deadline = who.now + self.config.lease;
        let extend = |fence: &u64| {
            let Some(lent) = self.lent.get_mut(fence) else { return false.into() };
            self.deadlines.remove(&(lent.deadline, *fence));
            lent.deadline = deadline;
            self.deadlines.insert((deadline, *fence));
            true.into()
        };
        Answer::Return(Value::List(fences.iter().map(extend).collect()))
    }

    /// Takes results, and with each its task off the list: both or neither, and only from who has it on lease.
    pub(super) fn complete(&mut self, done: Vec<(u64, Value)>, who: Caller<'_>) -> Answer {
        let complete = |(fence, result): (u64, Value)| {
            let Some(lent) = self.end_lease(fence) else { return false.into() };
            match lent.task.id {
                Some(id) => self.log.push((id, Ok(result))),
                None => {
                    self.outgoing.push(result);
                    self.unfinished = self.unfinished.saturating_sub(1);
                }
            }
            self.done += 1;
            if let Some(worker) = self.workers.get_mut(&who.id) {
                worker.done += 1;
            }
            true.into()
        };
        Answer::Return(Value::List(done.into_iter().map(complete).collect()))
    }

    /// A task that could not be done, to be tried again not before a moment.
    pub(super) fn fail(&mut self, fence: u64, error: String, again: Instant) -> bool {
        let Some(Lent { mut task, .. }) = self.end_lease(fence) else { return false };
        task.error = Some(error);
        if task.attempts >= self.config.max_attempts {
            self.bury(task);
        } else {
            self.delayed.insert((again, fence), task);
        }
        true
    }

    /// Tasks that were not begun: the next ones again, as if they had not been lent.
    pub(super) fn release(&mut self, fences: &[u64]) -> Value {
        let release = |fence: &u64| {
            let Some(Lent { mut task, .. }) = self.end_lease(*fence) else { return false.into() };
            task.attempts -= 1;
            self.put_first(task);
            true.into()
        };
        // The first one in front, and so put there last.
        let mut held: Vec<Value> = fences.iter().rev().map(release).collect();
        held.reverse();
        Value::List(held)
    }

    fn put_first(&mut self, task: Task) {
        let queue = if task.id.is_some() { &mut self.named } else { &mut self.plain };
        queue.push_front(task);
    }

    /// A task that is tried no more.
    fn bury(&mut self, task: Task) {
        if let Some(id) = &task.id {
            self.log.push((id.clone(), Err(Failure(task.attempts, task.error.clone()))));
        } else {
            self.unfinished = self.unfinished.saturating_sub(1);
        }
        self.dead.push(task);
    }

    /// A connection is gone: what it had on lease is for the next one, at once. True if that was something.
    pub(crate) fn leave(&mut self, holder: u64) -> bool {
        if self.workers.remove(&holder).is_none() {
            return false;
        }
        let theirs = |(fence, lent): (&u64, &Lent)| (lent.holder == holder).then_some(*fence);
        let mut fences: Vec<u64> = self.lent.iter().filter_map(theirs).collect();
        fences.sort_unstable();
        for fence in fences.iter().rev() {
            if let Some(Lent { mut task, .. }) = self.end_lease(*fence) {
                task.error = Some("its worker ended, or its connection broke".to_owned());
                self.put_first(task);
            }
        }
        !fences.is_empty()
    }

    /// When a task will be there that isn't yet.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let lease = self.deadlines.first().map(|(at, _)| *at);
        let delay = self.delayed.keys().next().map(|(at, _)| *at);
        lease.into_iter().chain(delay).min()
    }

    pub(super) fn lends_plain(&self) -> bool {
        self.config.results.is_some()
    }

    /// The log from a point on. It stays: who reads it again reads the same.
    pub(super) fn results(&self, after: usize, max: usize) -> Answer {
        let entry = |(at, (id, result)): (usize, &(String, Result<Value, Failure>))| {
            let (kind, value) = match result {
                Ok(value) => ("value", value.clone()),
                Err(failure) => ("dead", failed(failure.0, failure.1.as_deref())),
            };
            let cursor = count(after + at + 1);
            Value::Tuple(vec![cursor, id.clone().into(), kind.into(), value])
        };
        let rest = self.log.get(after..).unwrap_or_default();
        match rest.iter().take(max).enumerate().map(entry).collect::<Vec<_>>() {
            none if none.is_empty() => Answer::Wait(Kind::Result),
            entries => Answer::Return(Value::List(entries)),
        }
    }

    pub(super) fn list_dead(&self) -> Value {
        let entry = |task: &Task| {
            let id = task.id.clone().map_or(Value::None, Value::Str);
            Value::Tuple(vec![id, failed(task.attempts, task.error.as_deref()), task.body.clone()])
        };
        Value::List(self.dead.iter().take(1000).map(entry).collect())
    }

    /// Gives the dead another life: those with these ids, or all of them. Each may have another result after that.
    pub(super) fn retry(&mut self, ids: &[String]) -> Value {
        let wanted =
            |task: &Task| ids.is_empty() || task.id.as_ref().is_some_and(|id| ids.contains(id));
        let (again, rest) = std::mem::take(&mut self.dead).into_iter().partition(wanted);
        let again: Vec<Task> = again;
        self.dead = rest;
        let number = again.len();
        for mut task in again {
            task.attempts = 0;
            if task.id.is_some() {
                self.named.push_back(task);
            } else {
                self.unfinished += 1;
                self.plain.push_back(task);
            }
        }
        count(number)
    }

    pub(super) fn stats(&self) -> Value {
        let worker = |(id, worker): (&u64, &Worker)| {
            let lent = self.lent.values().filter(|lent| lent.holder == *id).count();
            Value::Tuple(vec![worker.name.clone().into(), count(lent), count(worker.done)])
        };
        let pairs = [
            ("ready", count(self.plain.len() + self.named.len())),
            ("delayed", count(self.delayed.len())),
            ("leased", count(self.lent.len())),
            ("done", count(self.done)),
            ("dead", count(self.dead.len())),
            ("lease", Value::Float(self.config.lease.as_secs_f64())),
            ("workers", Value::List(self.workers.iter().map(worker).collect())),
        ];
        Value::Dict(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// Forgets all tasks with ids, and their results.
    pub(super) fn purge(&mut self) {
        let named: Vec<u64> =
            self.lent.iter().filter(|(_, lent)| lent.task.id.is_some()).map(|(f, _)| *f).collect();
        for fence in named {
            self.end_lease(fence);
        }
        self.named.clear();
        self.delayed.retain(|_, task| task.id.is_none());
        self.dead.retain(|task| task.id.is_none());
        self.known.clear();
        self.log.clear();
    }
}

fn failed(attempts: u32, error: Option<&str>) -> Value {
    Value::Tuple(vec![Value::Int(attempts.into()), error.map_or(Value::None, Value::from)])
}
