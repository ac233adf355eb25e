// What a queue with leases must do; the clock is a number, so nothing here waits.

use std::time::Duration;

use judge::exercise::{Case, require};

use super::answer::{Lease, Queue};

pub(crate) const CASES: &[Case] = &[
    Case::of(&a_task_is_delivered_and_completed_once).within(Duration::from_secs(1)).hang(HANG),
    Case::of(&a_dead_workers_task_is_delivered_again).within(Duration::from_secs(1)).hang(HANG),
    Case::of(&each_delivery_has_a_token_of_its_own).within(Duration::from_secs(1)).hang(HANG),
    Case::of(&a_late_worker_completes_nothing).within(Duration::from_secs(1)).hang(HANG),
    Case::of(&a_task_that_kills_its_workers_is_given_up).within(Duration::from_secs(1)).hang(HANG),
];

const HANG: &str = "hang: take and complete wait for nothing and nobody, and yours does not end; \
                    which loop never gets shorter?";
/// For how long a task is leased here.
const LEASE: u64 = 100;

/// A queue with tasks 1 to `tasks` in it, each delivered three times at most.
fn queue(tasks: u64) -> Queue {
    let mut queue = Queue::new(LEASE, 3);
    (1..=tasks).for_each(|id| queue.push(id));
    queue
}

fn take(queue: &mut Queue, now: u64) -> Lease {
    let lease = queue.take(now);
    require(lease.is_some(), &format!("a task was ready at {now} ms, and take returned None"));
    lease.expect("required")
}

judge::case!(
    fn a_task_is_delivered_and_completed_once() {
        let mut queue = queue(2);
        let (one, two) = (take(&mut queue, 0), take(&mut queue, 0));
        require(
            (one.id, two.id) == (1, 2),
            &format!("tasks 1 and 2 were pushed, and delivered as {} and {}", one.id, two.id),
        );
        require(
            queue.take(0).is_none(),
            "both tasks were out, and one of them was delivered a second time: as long as its \
             lease lasts it belongs to one worker",
        );
        require(
            queue.complete(one, LEASE - 1) && queue.complete(two, LEASE - 1),
            "a worker was done 1 ms before its lease ended, and complete returned false",
        );
        require(
            !queue.complete(one, LEASE - 1),
            "the same delivery was completed twice: forget it when it is done",
        );
        require(
            queue.take(10 * LEASE).is_none() && queue.dead.is_empty(),
            "a task that was completed came up again, or was given up: forget it when it is done",
        );
    }
);

judge::case!(
    fn a_dead_workers_task_is_delivered_again() {
        let mut queue = queue(1);
        let first = take(&mut queue, 0);
        require(
            queue.take(LEASE - 1).is_none(),
            "a task was delivered again 1 ms before its lease had ended: its worker may still be \
             at work",
        );
        let again = queue.take(LEASE);
        require(
            again.is_some() || queue.take(LEASE + 1).is_none(),
            "a lease of 100 ms that began at 0 has ended at 100, and not a millisecond later: its \
             task is free as soon as until <= now",
        );
        require(
            again.is_some_and(|lease| lease.id == first.id),
            "the task of a worker that died was lost: keep it until it is completed, and deliver \
             it again when its lease has ended",
        );
        // Several at once, and one that is still at work among them.
        let mut queue = self::queue(3);
        let dead = [take(&mut queue, 0), take(&mut queue, 0)].map(|lease| lease.id);
        let busy = take(&mut queue, LEASE / 2);
        let mut back = [take(&mut queue, LEASE), take(&mut queue, LEASE)].map(|lease| lease.id);
        back.sort_unstable();
        require(
            back == dead && queue.take(LEASE).is_none(),
            &format!(
                "the workers of {dead:?} died, the one of {} did not, and {back:?} were delivered \
                 again: look at every lease, and only at its own end",
                busy.id
            ),
        );
    }
);

judge::case!(
    fn each_delivery_has_a_token_of_its_own() {
        let mut queue = queue(2);
        let mut tokens = Vec::new();
        for at in 0..3 {
            tokens.push(take(&mut queue, at * LEASE).token);
            tokens.push(take(&mut queue, at * LEASE).token);
        }
        let all = tokens.len();
        tokens.sort_unstable();
        tokens.dedup();
        require(
            tokens.len() == all,
            "two deliveries had the same token, so nobody can tell a late worker from the one \
             that holds the task now: give each delivery a new one",
        );
    }
);

judge::case!(
    fn a_late_worker_completes_nothing() {
        let mut queue = queue(1);
        let late = take(&mut queue, 0);
        require(
            !queue.complete(late, LEASE),
            "a worker whose lease had ended completed its task, only because nobody had taken it \
             again yet: compare the time as well as the token",
        );
        let now = queue.take(LEASE);
        require(
            now.is_some(),
            "a worker came too late, and with its refusal the task was gone: it stays until \
             somebody completes it in time",
        );
        let now = now.expect("required");
        require(
            !queue.complete(late, LEASE + 1),
            "a worker whose lease had ended completed the task that somebody else holds now: \
             compare the token of the delivery, not the task id",
        );
        require(
            queue.complete(now, LEASE + 2),
            "a late worker was refused, and then the one that holds the task was refused, too",
        );
    }
);

judge::case!(
    fn a_task_that_kills_its_workers_is_given_up() {
        let mut queue = queue(1);
        for delivery in 0..3 {
            require(
                queue.dead.is_empty() && queue.take(delivery * LEASE).is_some(),
                &format!(
                    "with max_attempts = 3 a task was given up after {delivery} deliveries: it is \
                     the number of deliveries in all",
                ),
            );
        }
        queue.push(2);
        let next = queue.take(3 * LEASE);
        require(
            next.is_none_or(|lease| lease.id != 1) && queue.take(3 * LEASE).is_none(),
            "a task that kills every worker is delivered for ever: count its deliveries, also \
             across its return to the queue, and stop at max_attempts",
        );
        require(
            next.is_some_and(|lease| lease.id == 2),
            "a task was given up, and the one behind it was not delivered: go on to the next",
        );
        let _ = queue.take(3 * LEASE);
        require(
            queue.dead == [1],
            &format!(
                "task 1 was given up, and `dead` is {:?}: it must be in there, once, or nobody \
                 learns of it",
                queue.dead
            ),
        );
    }
);
