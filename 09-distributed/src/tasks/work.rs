use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::Value;
use crate::tasks::{Fence, Heartbeat, Lease, QueueError, TaskQueue, Verdict};

/// Why a task has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// It can't be done, or not now. It is tried again after a pause.
    Failed(String),
    /// The worker is to end, and has not begun it: [`work`] gives it back, with all that it has on lease besides,
    /// and returns.
    Stop,
}

impl From<String> for Undone {
    fn from(error: String) -> Undone {
        Undone::Failed(error)
    }
}

impl From<&str> for Undone {
    fn from(error: &str) -> Undone {
        Undone::Failed(error.to_owned())
    }
}

/// Does tasks until none has come for `idle`, or one of them says [`Undone::Stop`], or for ever. Says how many
/// results were accepted.
///
/// `batch` tasks are taken at a time; the next ones when all results of the last ones are recorded. A task that
/// fails, or panics, is given back with what it said, to be tried again after a pause that grows.
///
/// # Errors
///
/// When the queue can't be reached. What was on lease is somebody else's then. It goes on after
/// [`QueueError::Forgotten`]: that is for the master.
pub fn work(
    queue: &mut dyn TaskQueue,
    heartbeat: &Heartbeat,
    batch: usize,
    idle: Option<Duration>,
    mut task: impl FnMut(&Lease) -> Result<Value, Undone>,
) -> Result<usize, QueueError> {
    let mut accepted = 0;
    loop {
        // A server that was restarted has other tasks for us.
        let leases = match queue.take(batch, idle.unwrap_or(Duration::from_secs(30))) {
            Err(QueueError::Forgotten) => continue,
            leases => leases?,
        };
        if leases.is_empty() && idle.is_some() {
            return Ok(accepted);
        }
        heartbeat.hold(&leases);
        let mut done = Vec::with_capacity(leases.len());
        let mut left = leases.iter();
        let mut stopped: Vec<Fence> = Vec::new();
        while let Some(lease) = left.next() {
            let result = catch_unwind(AssertUnwindSafe(|| task(lease)));
            match result.unwrap_or_else(|panic| Err(Undone::Failed(message(&*panic)))) {
                Ok(value) => done.push((lease.fence(), value)),
                Err(Undone::Failed(error)) => {
                    let pause = Duration::from_millis(100) * 2_u32.pow(lease.attempt.min(8));
                    match queue.fail(&lease.fence(), &error, pause) {
                        Err(QueueError::Forgotten) => {}
                        verdict => drop(verdict?),
                    }
                }
                Err(Undone::Stop) => {
                    stopped.extend([lease].into_iter().chain(left.by_ref()).map(Lease::fence));
                }
            }
        }
        let verdicts = loop {
            match queue.complete(&done) {
                // Those who wait for results are slower than we.
                #[expect(
                    clippy::disallowed_methods,
                    reason = "nothing tells when there is room again"
                )]
                Err(QueueError::Full) => std::thread::sleep(Duration::from_millis(100)),
                Err(QueueError::Forgotten) => break Vec::new(),
                verdicts => break verdicts?,
            }
        };
        heartbeat.release(leases.iter().map(|lease| &lease.fence));
        accepted += verdicts.iter().filter(|verdict| **verdict == Verdict::Accepted).count();
        if !stopped.is_empty() {
            return match queue.release(&stopped) {
                Ok(_) | Err(QueueError::Forgotten) => Ok(accepted),
                Err(error) => Err(error),
            };
        }
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a text"))
}
