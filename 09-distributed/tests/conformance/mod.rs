//! What every engine of a task queue must do: one function a promise, over the trait.
//!
//! An engine's test gives a [`Setup`] and gets a test for each of them.

use std::time::{Duration, Instant};

use distributed::{
    Cursor, Dead, Done, Heartbeat, Lease, Outcome, Put, QueueConfig, QueueError, TaskQueue, Undone,
    Value, Verdict, work,
};

/// An engine of its own for one test.
pub(crate) trait Setup {
    type Queue: TaskQueue + 'static;
    /// With these leases, attempts, room for this many tasks, and lengths.
    fn new(config: QueueConfig) -> Self;
    /// One more client.
    fn client(&self) -> Self::Queue;
}

/// A test for each promise: `conformance!(Engine)`, or `conformance!(Engine, cfg_attr(…, ignore = "…"))`.
#[macro_export]
macro_rules! conformance {
    ($setup:ty $(, $attribute:meta)?) => {
        conformance!(@ $setup, a_task_is_put_once_however_often_it_is_put $(, $attribute)?);
        conformance!(@ $setup, a_batch_that_does_not_fit_is_refused_whole $(, $attribute)?);
        conformance!(@ $setup, a_batch_with_a_body_that_is_too_long_is_refused_whole $(, $attribute)?);
        conformance!(@ $setup, take_gives_what_there_is_in_order_and_waits_for_the_first $(, $attribute)?);
        conformance!(@ $setup, a_result_is_recorded_once_and_read_as_often_as_one_likes $(, $attribute)?);
        conformance!(@ $setup, a_lease_that_ended_goes_to_the_next_and_the_late_answer_is_refused $(, $attribute)?);
        conformance!(@ $setup, a_late_answer_is_welcome_while_nobody_else_has_the_task $(, $attribute)?);
        conformance!(@ $setup, a_heartbeat_keeps_a_lease $(, $attribute)?);
        conformance!(@ $setup, a_worker_that_leaves_leaves_its_tasks_to_the_next_at_once $(, $attribute)?);
        conformance!(@ $setup, a_task_that_was_given_back_unbegun_is_the_next_one_again_and_not_an_attempt $(, $attribute)?);
        conformance!(@ $setup, a_worker_that_is_to_stop_gives_back_what_it_has_not_begun $(, $attribute)?);
        conformance!(@ $setup, a_failed_task_is_tried_again_after_its_pause_and_dead_in_the_end $(, $attribute)?);
        conformance!(@ $setup, a_pause_may_be_longer_than_a_lease $(, $attribute)?);
        conformance!(@ $setup, the_dead_are_listed_and_get_another_life_on_request $(, $attribute)?);
        conformance!(@ $setup, a_task_that_kills_its_workers_is_dead_in_the_end $(, $attribute)?);
        conformance!(@ $setup, results_that_are_waited_for_come_when_they_are_there $(, $attribute)?);
        conformance!(@ $setup, stats_count_and_purge_forgets $(, $attribute)?);
    };
    (@ $setup:ty, $promise:ident $(, $attribute:meta)?) => {
        #[test]
        $(#[$attribute])?
        fn $promise() {
            conformance::$promise::<$setup>();
        }
    };
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(200);
const NONE: Duration = Duration::ZERO;
/// To wait for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

fn config(lease: Duration, max_attempts: u32, capacity: usize) -> QueueConfig {
    QueueConfig { lease, max_attempts, capacity, ..QueueConfig::default() }
}

fn tasks(numbers: std::ops::Range<i64>) -> Vec<(String, Value)> {
    numbers.map(|number| (format!("task {number}"), Value::Int(number))).collect()
}

fn one(queue: &mut impl TaskQueue) -> Lease {
    let mut taken = queue.take(1, PATIENCE).expect("it answers");
    assert_eq!(taken.len(), 1);
    taken.remove(0)
}

fn complete(queue: &mut impl TaskQueue, lease: &Lease, result: i64) -> Verdict {
    queue.complete(&[(lease.fence(), Value::Int(result))]).expect("it answers")[0]
}

fn log(queue: &mut impl TaskQueue) -> Vec<Done> {
    queue.results(&Cursor::default(), 10_000, NONE).expect("it answers")
}

pub(crate) fn a_task_is_put_once_however_often_it_is_put<S: Setup>() {
    let setup = S::new(config(LONG, 3, 100));
    let (mut one_, mut two) = (setup.client(), setup.client());
    assert_eq!(one_.put(&tasks(0..2)).expect("there is room"), [Put::New, Put::New]);
    assert_eq!(two.put(&tasks(1..3)).expect("there is room"), [Put::Duplicate, Put::New]);
    for lease in two.take(10, NONE).expect("it answers") {
        complete(&mut two, &lease, 0);
    }
    // Also when it is done long since.
    assert_eq!(one_.put(&tasks(0..1)).expect("there is room"), [Put::Duplicate]);
    assert!(two.take(10, NONE).expect("it answers").is_empty());
    assert_eq!(log(&mut one_).len(), 3);
}

pub(crate) fn a_batch_that_does_not_fit_is_refused_whole<S: Setup>() {
    let setup = S::new(config(LONG, 3, 5));
    let mut queue = setup.client();
    queue.put(&tasks(0..3)).expect("there is room");
    assert!(matches!(queue.put(&tasks(3..6)), Err(QueueError::Full)));
    assert_eq!(queue.stats().expect("it answers").ready, 3);
    // What is there already takes no room again.
    queue.put(&tasks(0..5)).expect("there is room for two more");
    // Lent is not done.
    let lease = one(&mut queue);
    assert!(matches!(queue.put(&tasks(5..6)), Err(QueueError::Full)));
    complete(&mut queue, &lease, 0);
    queue.put(&tasks(5..6)).expect("there is room again");
}

pub(crate) fn a_batch_with_a_body_that_is_too_long_is_refused_whole<S: Setup>() {
    let setup = S::new(QueueConfig { max_body: 100, ..config(LONG, 3, 100) });
    let mut queue = setup.client();
    let body = |length| Value::Str("x".repeat(length));
    let batch = |length| [("short".to_owned(), body(1)), ("long".to_owned(), body(length))];
    let error = queue.put(&batch(200)).expect_err("it is too long");
    assert!(matches!(&error, QueueError::TooLong(_)), "{error:?}");
    // Which, how long, and what would do.
    for part in ["\"long\"", "205 bytes", "100 is the most"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(queue.stats().expect("it answers").ready, 0);
    // Neither id was put. Five bytes of a hundred are the pickle's own.
    assert!(matches!(queue.put(&batch(96)), Err(QueueError::TooLong(_))));
    assert_eq!(queue.put(&batch(95)).expect("it is short enough"), [Put::New, Put::New]);
}

pub(crate) fn take_gives_what_there_is_in_order_and_waits_for_the_first<S: Setup>() {
    let setup = S::new(config(LONG, 3, 100));
    let mut queue = setup.client();
    let start = Instant::now();
    assert!(queue.take(5, Duration::from_millis(50)).expect("it answers").is_empty());
    assert!(start.elapsed() >= Duration::from_millis(50));
    queue.put(&tasks(0..7)).expect("there is room");
    let ids = |leases: Vec<Lease>| leases.into_iter().map(|lease| lease.id).collect::<Vec<_>>();
    let first = ids(queue.take(5, PATIENCE).expect("it answers"));
    assert_eq!(first, ["task 0", "task 1", "task 2", "task 3", "task 4"]);
    assert_eq!(ids(queue.take(5, PATIENCE).expect("it answers")), ["task 5", "task 6"]);
    std::thread::scope(|scope| {
        let mut other = setup.client();
        let waits = scope.spawn(move || ids(other.take(5, PATIENCE).expect("it answers")));
        queue.put(&tasks(7..8)).expect("there is room");
        assert_eq!(waits.join().expect("no panic"), ["task 7"]);
    });
}

pub(crate) fn a_result_is_recorded_once_and_read_as_often_as_one_likes<S: Setup>() {
    let setup = S::new(config(LONG, 3, 100));
    let (mut worker, mut master) = (setup.client(), setup.client());
    master.put(&tasks(0..3)).expect("there is room");
    for lease in worker.take(3, NONE).expect("it answers") {
        assert_eq!(lease.attempt, 1);
        assert_eq!(complete(&mut worker, &lease, 10), Verdict::Accepted);
        assert_eq!(complete(&mut worker, &lease, 11), Verdict::LeaseLost);
        assert_eq!(worker.extend(&[lease.fence()]).expect("it answers"), [Verdict::LeaseLost]);
    }
    let all = log(&mut master);
    assert_eq!(
        all.iter().map(|done| &*done.id).collect::<Vec<_>>(),
        ["task 0", "task 1", "task 2"]
    );
    assert!(all.iter().all(|done| done.outcome == Outcome::Value(Value::Int(10))));
    assert_eq!(log(&mut setup.client()), all, "the same for everybody");
    let rest = master.results(&all[0].cursor, 1, NONE).expect("it answers");
    assert_eq!(rest, all[1..2]);
    assert!(master.results(&all[2].cursor, 1, NONE).expect("it answers").is_empty());
}

pub(crate) fn a_lease_that_ended_goes_to_the_next_and_the_late_answer_is_refused<S: Setup>() {
    let setup = S::new(config(SHORT, 3, 100));
    let (mut slow, mut quick) = (setup.client(), setup.client());
    quick.put(&tasks(0..1)).expect("there is room");
    let late = one(&mut slow);
    // Waits until the lease ends: nobody has to ask again.
    let next = one(&mut quick);
    assert_eq!((&*next.id, next.attempt), ("task 0", 2));
    assert_eq!(slow.extend(&[late.fence()]).expect("it answers"), [Verdict::LeaseLost]);
    assert_eq!(complete(&mut slow, &late, 1), Verdict::LeaseLost);
    assert_eq!(slow.fail(&late.fence(), "late", NONE).expect("it answers"), Verdict::LeaseLost);
    assert_eq!(complete(&mut quick, &next, 2), Verdict::Accepted);
    let log = log(&mut quick);
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].outcome, Outcome::Value(Value::Int(2)));
}

pub(crate) fn a_late_answer_is_welcome_while_nobody_else_has_the_task<S: Setup>() {
    let setup = S::new(config(SHORT, 3, 100));
    let (mut slow, mut other) = (setup.client(), setup.client());
    slow.put(&tasks(0..1)).expect("there is room");
    let late = one(&mut slow);
    assert!(other.results(&Cursor::default(), 1, 2 * SHORT).expect("it answers").is_empty());
    assert_eq!(complete(&mut slow, &late, 1), Verdict::Accepted);
}

pub(crate) fn a_heartbeat_keeps_a_lease<S: Setup>() {
    let lease = Duration::from_secs(1);
    let setup = S::new(config(lease, 3, 100));
    let (mut worker, mut beat, mut other) = (setup.client(), setup.client(), setup.client());
    worker.put(&tasks(0..1)).expect("there is room");
    let held = one(&mut worker);
    let start = Instant::now();
    while start.elapsed() < lease * 3 / 2 {
        assert_eq!(beat.extend(&[held.fence()]).expect("it answers"), [Verdict::Accepted]);
        assert!(other.take(1, lease / 20).expect("it answers").is_empty());
    }
    assert_eq!(complete(&mut worker, &held, 1), Verdict::Accepted);
}

pub(crate) fn a_worker_that_leaves_leaves_its_tasks_to_the_next_at_once<S: Setup>() {
    let setup = S::new(config(LONG, 3, 100));
    let (mut leaves, mut stays) = (setup.client(), setup.client());
    stays.put(&tasks(0..1)).expect("there is room");
    let lost = one(&mut leaves);
    std::thread::scope(|scope| {
        let mut waits = setup.client();
        let next = scope.spawn(move || one(&mut waits));
        // By then the other one waits, as a rule.
        assert!(stays.take(1, SHORT).expect("it answers").is_empty());
        drop(leaves);
        let next = next.join().expect("no panic");
        assert_eq!((next.id, next.attempt), (lost.id, 2));
    });
}

pub(crate) fn a_task_that_was_given_back_unbegun_is_the_next_one_again_and_not_an_attempt<
    S: Setup,
>() {
    let setup = S::new(config(LONG, 2, 100));
    let (mut leaves, mut stays) = (setup.client(), setup.client());
    stays.put(&tasks(0..5)).expect("there is room");
    let mut old = Vec::new();
    // Oftener than it may be tried.
    for _ in 0..4 {
        let leases = leaves.take(3, NONE).expect("it answers");
        let seen: Vec<_> = leases.iter().map(|lease| (&*lease.id, lease.attempt)).collect();
        assert_eq!(seen, [("task 0", 1), ("task 1", 1), ("task 2", 1)]);
        let fences: Vec<_> = leases.iter().map(Lease::fence).collect();
        let released = leaves.release(&fences[1..]).expect("it answers");
        assert_eq!(released, [Verdict::Accepted; 2]);
        assert_eq!(leaves.release(&fences[1..]).expect("it answers"), [Verdict::LeaseLost; 2]);
        assert_eq!(leaves.release(&fences[..1]).expect("it answers"), [Verdict::Accepted]);
        old.extend(fences);
    }
    let lease = one(&mut leaves);
    assert_eq!(lease.attempt, 1);
    // Each lease is another one, whoever had the last one.
    for fence in old {
        let late = leaves.complete(&[(fence, Value::None)]).expect("it answers");
        assert_eq!(late, [Verdict::LeaseLost]);
    }
    // An attempt that was one still counts.
    leaves.fail(&lease.fence(), "no luck", NONE).expect("it answers");
    let again = stays.take(5, NONE).expect("it answers");
    let again = again.iter().find(|lease| lease.id == "task 0").expect("it is to be tried again");
    assert_eq!(again.attempt, 2);
    stays.release(&[again.fence()]).expect("it answers");
    assert_eq!(one(&mut stays).attempt, 2);
    // Who waits for a task gets what is given back.
    std::thread::scope(|scope| {
        assert!(stays.take(5, NONE).expect("it answers").is_empty());
        let mut waits = setup.client();
        let next = scope.spawn(move || one(&mut waits));
        assert!(leaves.take(1, SHORT).expect("it answers").is_empty());
        drop(stays);
        next.join().expect("no panic");
    });
}

pub(crate) fn a_worker_that_is_to_stop_gives_back_what_it_has_not_begun<S: Setup>() {
    let setup = S::new(config(LONG, 3, 100));
    let (mut worker, mut next) = (setup.client(), setup.client());
    worker.put(&tasks(0..5)).expect("there is room");
    let heartbeat = Heartbeat::start(setup.client(), LONG).expect("it answers");
    let accepted = work(&mut worker, &heartbeat, 4, None, |lease| match &lease.body {
        Value::Int(2) => Err(Undone::Stop),
        body => Ok(body.clone()),
    });
    assert_eq!(accepted.expect("it answers"), 2);
    // The worker is still there, and has nothing.
    let rest = next.take(10, NONE).expect("it answers");
    let rest: Vec<_> = rest.iter().map(|lease| (&*lease.id, lease.attempt)).collect();
    assert_eq!(rest, [("task 2", 1), ("task 3", 1), ("task 4", 1)]);
    assert_eq!(log(&mut worker).len(), 2);
}

pub(crate) fn a_pause_may_be_longer_than_a_lease<S: Setup>() {
    let setup = S::new(config(SHORT, 3, 100));
    let mut queue = setup.client();
    queue.put(&tasks(0..1)).expect("there is room");
    let lease = one(&mut queue);
    let start = Instant::now();
    queue.fail(&lease.fence(), "not yet", 3 * SHORT).expect("it answers");
    assert_eq!(queue.stats().expect("it answers").delayed, 1);
    assert_eq!(one(&mut queue).attempt, 2);
    assert!(start.elapsed() >= 3 * SHORT, "{:?}", start.elapsed());
}

pub(crate) fn the_dead_are_listed_and_get_another_life_on_request<S: Setup>() {
    let setup = S::new(config(LONG, 1, 100));
    let mut queue = setup.client();
    queue.put(&tasks(0..3)).expect("there is room");
    for lease in queue.take(3, NONE).expect("it answers") {
        queue.fail(&lease.fence(), "no luck", NONE).expect("it answers");
    }
    let dead = queue.dead().expect("it answers");
    assert_eq!(dead.len(), 3);
    let error = Some("no luck".to_owned());
    let first = Dead { id: Some("task 0".to_owned()), attempts: 1, error, body: Value::Int(0) };
    assert_eq!(dead[0], first);
    // One of them, then the others. Its id is known, as ever.
    assert_eq!(queue.retry(&["task 1".to_owned(), "task 7".to_owned()]).expect("it answers"), 1);
    assert_eq!(queue.put(&tasks(1..2)).expect("there is room"), [Put::Duplicate]);
    let lease = one(&mut queue);
    assert_eq!((&*lease.id, lease.attempt, &lease.body), ("task 1", 1, &Value::Int(1)));
    assert_eq!(complete(&mut queue, &lease, 1), Verdict::Accepted);
    assert_eq!(queue.retry(&[]).expect("it answers"), 2);
    assert!(queue.dead().expect("it answers").is_empty());
    let ids: Vec<_> =
        queue.take(3, NONE).expect("it answers").into_iter().map(|it| it.id).collect();
    assert_eq!(ids, ["task 0", "task 2"]);
    // It was dead, and then done: both are on record.
    let log = log(&mut queue);
    assert_eq!(log.len(), 4);
    assert_eq!((&*log[3].id, &log[3].outcome), ("task 1", &Outcome::Value(Value::Int(1))));
}

pub(crate) fn a_failed_task_is_tried_again_after_its_pause_and_dead_in_the_end<S: Setup>() {
    let setup = S::new(config(LONG, 3, 100));
    let mut queue = setup.client();
    queue.put(&tasks(0..1)).expect("there is room");
    for attempt in 1..=3 {
        let pause = Duration::from_millis(50);
        let asked = Instant::now();
        let lease = one(&mut queue);
        assert_eq!(lease.attempt, attempt);
        assert!(attempt == 1 || asked.elapsed() >= pause / 2, "not before the pause is over");
        let failed = queue.fail(&lease.fence(), &format!("error {attempt}"), pause);
        assert_eq!(failed.expect("it answers"), Verdict::Accepted);
    }
    assert!(queue.take(1, Duration::from_millis(100)).expect("it answers").is_empty());
    let log = log(&mut queue);
    let error = Some("error 3".to_owned());
    assert_eq!(
        log.iter().map(|done| &done.outcome).collect::<Vec<_>>(),
        [&Outcome::Dead { attempts: 3, error }]
    );
    assert_eq!(queue.stats().expect("it answers").dead, 1);
}

pub(crate) fn a_task_that_kills_its_workers_is_dead_in_the_end<S: Setup>() {
    let setup = S::new(config(LONG, 3, 100));
    let mut queue = setup.client();
    queue.put(&tasks(0..1)).expect("there is room");
    for _ in 0..3 {
        let mut worker = setup.client();
        one(&mut worker);
    }
    assert!(queue.take(1, Duration::from_millis(100)).expect("it answers").is_empty());
    let log = log(&mut queue);
    assert!(matches!(&log[0].outcome, Outcome::Dead { attempts: 3, error: Some(_) }), "{log:?}");
}

pub(crate) fn results_that_are_waited_for_come_when_they_are_there<S: Setup>() {
    let setup = S::new(config(LONG, 3, 100));
    let (mut worker, mut master) = (setup.client(), setup.client());
    worker.put(&tasks(0..2)).expect("there is room");
    let first = one(&mut worker);
    complete(&mut worker, &first, 1);
    let read = log(&mut master);
    let second = one(&mut worker);
    std::thread::scope(|scope| {
        let after = read[0].cursor.clone();
        let waits = scope.spawn(move || master.results(&after, 10, PATIENCE).expect("it answers"));
        complete(&mut worker, &second, 2);
        let more = waits.join().expect("no panic");
        assert_eq!(more.iter().map(|done| &*done.id).collect::<Vec<_>>(), ["task 1"]);
    });
}

pub(crate) fn stats_count_and_purge_forgets<S: Setup>() {
    let setup = S::new(config(LONG, 3, 100));
    let mut queue = setup.client();
    queue.put(&tasks(0..5)).expect("there is room");
    let leases = queue.take(2, NONE).expect("it answers");
    complete(&mut queue, &leases[0], 0);
    let stats = queue.stats().expect("it answers");
    assert_eq!((stats.ready, stats.leased, stats.done, stats.dead), (3, 1, 1, 0));
    assert_eq!(
        stats.workers.iter().map(|worker| (worker.leased, worker.done)).collect::<Vec<_>>(),
        [(1, 1)]
    );
    queue.purge().expect("it answers");
    let stats = queue.stats().expect("it answers");
    assert_eq!((stats.ready, stats.leased, stats.dead), (0, 0, 0));
    assert!(log(&mut queue).is_empty());
    assert_eq!(complete(&mut queue, &leases[1], 0), Verdict::LeaseLost);
    assert_eq!(queue.put(&tasks(0..1)).expect("there is room"), [Put::New]);
}
