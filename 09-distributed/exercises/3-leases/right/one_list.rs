// Right: one list, in which every task stays until it is completed or given up.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Ready,
    Leased { token: u64, until: Millis },
}

struct Task {
    id: u64,
    left: u32,
    at: At,
}

pub type Millis = u64;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lease {
    pub id: u64,
    pub token: u64,
}

pub struct Queue {
    lease: Millis,
    max_attempts: u32,
    tasks: Vec<Task>,
    tokens: std::ops::RangeFrom<u64>,
    pub dead: Vec<u64>,
}

impl Queue {
    pub fn new(lease: Millis, max_attempts: u32) -> Queue {
        Queue { lease, max_attempts, tasks: Vec::new(), tokens: 70.., dead: Vec::new() }
    }

    pub fn push(&mut self, id: u64) {
        self.tasks.push(Task { id, left: self.max_attempts, at: At::Ready });
    }

    pub fn take(&mut self, now: Millis) -> Option<Lease> {
        let free = |task: &Task| match task.at {
            At::Ready => true,
            At::Leased { until, .. } => until <= now,
        };
        let dead = &mut self.dead;
        self.tasks.retain(|task| {
            let keep = task.left > 0 || !free(task);
            if !keep {
                dead.push(task.id);
            }
            keep
        });
        let task = self.tasks.iter_mut().find(|task| free(task))?;
        let token = self.tokens.next()?;
        task.left -= 1;
        task.at = At::Leased { token, until: now + self.lease };
        Some(Lease { id: task.id, token })
    }

    pub fn complete(&mut self, lease: Lease, now: Millis) -> bool {
        let before = self.tasks.len();
        self.tasks.retain(|task| match task.at {
            At::Leased { token, until } => token != lease.token || until <= now,
            At::Ready => true,
        });
        self.tasks.len() < before
    }
}
