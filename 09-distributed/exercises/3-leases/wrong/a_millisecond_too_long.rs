// Wrong: a lease that ends now is taken for one that lasts.
// Refused by: a_dead_workers_task_is_delivered_again
// Told: its task is free as soon as until <= now
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
        for l in self.leased.extract_if(.., |l| l.until < now) {
            if l.task.attempts < self.max_attempts {
                self.ready.push_back(l.task);
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
