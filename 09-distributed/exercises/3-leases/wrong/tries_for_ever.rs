// Wrong: each time the task comes back as a new one.
// Refused by: a_task_that_kills_its_workers_is_given_up
// Told: is delivered for ever
use std::collections::VecDeque;

pub type Millis = u64;

struct Task {
    id: u64,
    attempts: u32,
}

struct Leased {
    task: Task,
    token: u64,
    until: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lease {
    pub id: u64,
    pub token: u64,
}

pub struct Queue {
    lease: Millis,
    max_attempts: u32,
    ready: VecDeque<Task>,
    leased: Vec<Leased>,
    next_token: u64,
    pub dead: Vec<u64>,
}

impl Queue {
    pub fn new(lease: Millis, max_attempts: u32) -> Queue {
        Queue {
            lease,
            max_attempts,
            ready: VecDeque::new(),
            leased: Vec::new(),
            next_token: 0,
            dead: Vec::new(),
        }
    }

    pub fn push(&mut self, id: u64) {
        self.ready.push_back(Task { id, attempts: 0 });
    }

    pub fn take(&mut self, now: Millis) -> Option<Lease> {
        for l in self.leased.extract_if(.., |l| l.until <= now) {
            if l.task.attempts < self.max_attempts {
                self.ready.push_back(Task { id: l.task.id, attempts: 0 });
            } else {
                self.dead.push(l.task.id);
            }
        }
        let mut task = self.ready.pop_front()?;
        task.attempts += 1;
        self.next_token += 1;
        let lease = Lease { id: task.id, token: self.next_token };
        self.leased.push(Leased { task, token: lease.token, until: now + self.lease });
        Some(lease)
    }

    pub fn complete(&mut self, lease: Lease, now: Millis) -> bool {
        match self.leased.iter().position(|l| l.token == lease.token && now < l.until) {
            Some(i) => {
                self.leased.swap_remove(i);
                true
            }
            None => false,
        }
    }
}
