//! The task queue in a Redis server: what every engine promises, and what this one does besides.
#![cfg(feature = "redis")]

mod conformance;
mod kill;
mod support;

use std::time::{Duration, Instant};

use distributed::{
    Cursor, Key, Lease, Outcome, Put, QueueConfig, QueueError, RedisTasks, TaskQueue, Value,
    Verdict,
};
use judge::Judge;
use support::PROGRAM;
use support::redis::{PASSWORD, Redis, open};

const ABSENCE: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(250);

impl conformance::Setup for Redis {
    type Queue = RedisTasks;
    fn new(config: QueueConfig) -> Redis {
        Redis::start(config)
    }
    fn client(&self) -> RedisTasks {
        self.tasks()
    }
}

conformance!(Redis, cfg_attr(not(redis_server), ignore = "redis-server is not installed"));

fn lasting(lease: Duration) -> QueueConfig {
    QueueConfig { lease, max_attempts: 1000, ..QueueConfig::default() }
}

fn numbers(numbers: std::ops::Range<i64>) -> Vec<(String, Value)> {
    numbers.map(|n| (format!("task {n}"), Value::Int(n))).collect()
}

judge::scenario! {
    /// A worker as the library makes it, with its heartbeat.
    fn works() -> Result<(), QueueError> {
        let url = std::env::var("URL").unwrap_or_default();
        kill::square(open(&url, ABSENCE), open(&url, ABSENCE))
    }
}

#[test]
#[cfg_attr(not(redis_server), ignore = "redis-server is not installed")]
fn four_workers_and_the_server_killed_at_random_lose_no_task_and_repeat_no_result() {
    let mut redis = Redis::start(lasting(SHORT));
    let (url, mut restarts) = (redis.url(), 0);
    let mut master = redis.tasks();
    kill::four_workers(
        &mut master,
        || Judge::scenario(&works).env("URL", &url),
        |_| {
            redis.kill_and_restart();
            restarts += 1;
        },
    );
    println!("the server was killed {restarts} times");
    assert!(restarts > 2);
}

judge::scenario! {
    /// A worker that does one task and says where it is, and goes on when it is told to.
    fn steps() -> Result<(), Box<dyn std::error::Error>> {
        let mut queue = open(&std::env::var("URL")?, ABSENCE);
        let mut orders = std::io::stdin().lines();
        let mut pause = |step: &str| {
            println!("{step}");
            orders.next();
        };
        pause("connected");
        let leases = queue.take(1, ABSENCE)?;
        pause("taken");
        let Value::Int(number) = leases[0].body else { return Err("no number".into()) };
        let verdicts = queue.complete(&[(leases[0].fence(), Value::Int(number * number))])?;
        pause(&format!("completed {:?}", verdicts[0]));
        Ok(())
    }
}

#[test]
#[cfg_attr(not(redis_server), ignore = "redis-server is not installed")]
fn whenever_a_worker_is_killed_its_task_is_done_and_its_result_there_once() {
    let redis = Redis::start(lasting(SHORT));
    let mut master = redis.tasks();
    for (number, killed_when) in (0..).zip(["connected", "taken", "completed Accepted"]) {
        master.put(&numbers(number..number + 1)).expect("there is room");
        let worker = || Judge::scenario(&steps).env("URL", redis.url()).start();
        let mut first = worker();
        while first.wait_for_line(|_| true) != killed_when {
            first.write_stdin("on\n");
        }
        first.signal(9);
        assert_eq!(first.finish().signal(), Some(9));
        if killed_when != "completed Accepted" {
            let mut second = worker();
            while second.wait_for_line(|_| true) != "completed Accepted" {
                second.write_stdin("on\n");
            }
        }
        let results = master.results(&Cursor::default(), 10, ABSENCE).expect("it answers");
        assert_eq!(results.len() as i64, number + 1, "killed when {killed_when}");
        let last = results.last().map(|done| &done.outcome);
        assert_eq!(last, Some(&Outcome::Value(Value::Int(number * number))));
        assert_eq!(master.stats().expect("it answers").leased, 0);
    }
}

#[test]
#[cfg_attr(not(redis_server), ignore = "redis-server is not installed")]
fn a_worker_that_was_stopped_past_its_lease_is_refused_when_it_goes_on() {
    let redis = Redis::start(lasting(SHORT));
    let mut master = redis.tasks();
    master.put(&numbers(3..4)).expect("there is room");
    let mut stopped = Judge::scenario(&steps).env("URL", redis.url()).start();
    stopped.write_stdin("on\n");
    stopped.wait_for_line(|line| line == "taken");
    stopped.signal(19);
    let lease = master.take(1, ABSENCE).expect("it answers").remove(0);
    assert_eq!((lease.attempt, &lease.body), (2, &Value::Int(3)));
    stopped.signal(18);
    stopped.write_stdin("on\n");
    stopped.wait_for_line(|line| line == "completed LeaseLost");
    let done = master.complete(&[(lease.fence(), Value::Int(9))]).expect("it answers");
    assert_eq!(done, [Verdict::Accepted]);
}

/// Whom the server wakes may be stopped just then.
#[test]
#[cfg_attr(not(redis_server), ignore = "redis-server is not installed")]
fn a_worker_that_was_stopped_while_it_waited_holds_up_nobody() {
    let redis = Redis::start(lasting(SHORT));
    let mut stopped = Judge::scenario(&works).env("URL", redis.url()).env("SAYS", "1").start();
    let mut master = redis.tasks();
    master.put(&numbers(0..1)).expect("there is room");
    stopped.wait_for_line(|line| line == "task 0");
    assert_eq!(master.results(&Cursor::default(), 1, ABSENCE).expect("it answers").len(), 1);
    stopped.signal(19);
    std::thread::scope(|scope| {
        let mut other = redis.tasks();
        let start = Instant::now();
        let waits = scope.spawn(move || other.take(1, ABSENCE).expect("it answers").len());
        master.put(&numbers(1..2)).expect("there is room");
        assert_eq!(waits.join().expect("no panic"), 1);
        assert!(start.elapsed() < ABSENCE / 2, "{:?}", start.elapsed());
    });
    stopped.signal(18);
}

#[test]
#[cfg_attr(not(redis_server), ignore = "redis-server is not installed")]
fn batches_may_be_larger_than_luas_stack() {
    let redis = Redis::start(lasting(Duration::from_secs(60)));
    let mut queue = redis.tasks();
    let put = queue.put(&numbers(0..10_000)).expect("there is room");
    assert!(put.iter().all(|put| *put == Put::New));
    let leases = queue.take(10_000, ABSENCE).expect("it answers");
    assert_eq!(leases.len(), 10_000);
    let fences: Vec<_> = leases.iter().map(Lease::fence).collect();
    let held = queue.extend(&fences).expect("it answers");
    assert!(held.iter().all(|verdict| *verdict == Verdict::Accepted));
    queue.release(&fences).expect("it answers");
    let leases = queue.take(10_000, ABSENCE).expect("it answers");
    assert_eq!(leases.len(), 10_000);
    assert!(leases.iter().enumerate().all(|(at, lease)| lease.id == format!("task {at}")));
    let done: Vec<_> = leases.iter().map(|lease| (lease.fence(), lease.body.clone())).collect();
    let recorded = queue.complete(&done).expect("it answers");
    assert!(recorded.iter().all(|verdict| *verdict == Verdict::Accepted));
    // No fence is good twice, in one call neither.
    queue.put(&numbers(10_000..10_001)).expect("there is room");
    let fence = queue.take(1, ABSENCE).expect("it answers")[0].fence();
    let twice = [(fence.clone(), Value::None), (fence, Value::None)];
    let twice = queue.complete(&twice).expect("it answers");
    assert_eq!(twice, [Verdict::Accepted, Verdict::LeaseLost]);
    assert_eq!(
        queue.results(&Cursor::default(), 10_000, ABSENCE).expect("it answers").len(),
        10_000
    );
    assert_eq!(queue.stats().expect("it answers").done, 10_001);
}

#[test]
#[cfg_attr(not(redis_server), ignore = "redis-server is not installed")]
fn a_server_without_a_log_is_warned_of_and_says_that_it_has_forgotten() {
    let lines = "appendonly no\nmaxmemory-policy allkeys-lru\n";
    let mut redis = Redis::start_with(lasting(SHORT), lines);
    let (mut master, mut other) = (redis.tasks(), redis.tasks());
    assert!(!master.durable());
    let risks = master.risks().expect("it answers").join("\n");
    for part in ["`appendonly yes`", "allkeys-lru", "`maxmemory-policy noeviction`"] {
        assert!(risks.contains(part), "{risks}");
    }
    master.put(&numbers(0..100)).expect("there is room");
    redis.kill_and_restart();
    // Whoever calls is told, once.
    for queue in [&mut master, &mut other] {
        assert!(matches!(queue.stats(), Err(QueueError::Forgotten)));
        assert_eq!(queue.stats().expect("it answers").ready, 0);
    }
    // The queue is as it was configured.
    assert_eq!(master.stats().expect("it answers").lease, SHORT);
    assert_eq!(master.put(&numbers(0..1)).expect("there is room"), [Put::New]);
}

#[test]
#[cfg_attr(not(redis_server), ignore = "redis-server is not installed")]
fn a_killed_server_with_a_log_has_lost_nothing_that_it_answered() {
    let mut redis = Redis::start(lasting(Duration::from_secs(60)));
    let (mut master, mut worker) = (redis.tasks(), redis.tasks());
    assert!(master.durable());
    assert_eq!(master.risks().expect("it answers"), [""; 0]);
    master.put(&numbers(0..100)).expect("there is room");
    let leases = worker.take(20, ABSENCE).expect("it answers");
    worker.complete(&[(leases[0].fence(), Value::None)]).expect("it answers");
    let before = master.stats().expect("it answers");
    redis.kill_and_restart();
    let after = master.stats().expect("it is back");
    let of = |stats: &distributed::Stats| (stats.ready, stats.leased, stats.done);
    assert_eq!(of(&after), of(&before));
    assert_eq!(master.put(&numbers(0..1)).expect("there is room"), [Put::Duplicate]);
    // Its leases hold.
    let done = worker.complete(&[(leases[1].fence(), Value::None)]).expect("it answers");
    assert_eq!(done, [Verdict::Accepted]);
    assert_eq!(master.results(&Cursor::default(), 10, ABSENCE).expect("it answers").len(), 2);
}

#[test]
#[cfg_attr(not(redis_server), ignore = "redis-server is not installed")]
fn a_server_that_is_gone_is_an_error_that_says_where_and_never_the_password() {
    let mut redis = Redis::start(lasting(SHORT));
    let wrong = Key::new(b"a wrong password");
    let error = RedisTasks::open(&redis.url(), Some(&wrong), "tasks", ABSENCE).expect_err("wrong");
    assert!(error.to_string().contains("authentication"), "{error}");
    let url = redis.url();
    let mut queue = open(&url, Duration::from_millis(100));
    redis.kill();
    let error = queue.stats().expect_err("it is gone");
    let address = url.trim_start_matches("redis://");
    assert!(error.to_string().contains(address), "{error}");
    let shown = format!("{error:?} {queue:?}");
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[test]
#[cfg_attr(not(redis_server), ignore = "redis-server is not installed")]
fn a_stopped_server_is_not_waited_for_longer_than_was_asked() {
    let mut redis = Redis::start(lasting(SHORT));
    let mut queue = open(&redis.url(), Duration::ZERO);
    redis.server().signal(19);
    let start = Instant::now();
    let error = queue.stats().expect_err("it is stopped");
    assert!(matches!(error, QueueError::Engine { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    redis.server().signal(18);
    queue.stats().expect("it is there again");
}

fn demo(redis: &Redis, arguments: &[&str]) -> Judge {
    let demo = Judge::program(PROGRAM).args(arguments).args(["--redis", &redis.url()]);
    demo.env("AUTHKEY", PASSWORD)
}

#[test]
#[cfg_attr(not(redis_server), ignore = "redis-server is not installed")]
fn master_workers_and_the_others_of_the_demo_meet_in_a_redis_server() {
    let redis = Redis::start(QueueConfig::default());
    let worker = demo(&redis, &["worker", "--stay"]).start();
    // The results of others are none of ours.
    for _ in 0..2 {
        let master = demo(&redis, &["master", "--tasks", "3"]).run();
        master.assert_clean();
        let text = master.stdout();
        let starting = |start| text.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!((starting("Put task "), starting("Result: ")), (3, 3), "{text}");
        assert!(text.ends_with("master exit.\n"), "{text}");
        for line in text.lines().filter_map(|line| line.strip_prefix("Put task ")) {
            let number: u64 = line.trim_end_matches("...").parse().expect("a number");
            let square = number * number;
            assert!(
                text.contains(&format!("\nResult: {number} * {number} = {square}\n")),
                "{text}"
            );
        }
        assert_eq!(master.stderr(), "");
    }
    let stats = demo(&redis, &["stats", "--once"]).run();
    stats.assert_clean();
    assert!(stats.stdout().contains("done           6\n"), "{stats}");
    drop(worker);

    let mut queue = RedisTasks::open(
        &redis.url(),
        Some(&Key::new(PASSWORD.as_bytes())),
        "get_task_queue",
        ABSENCE,
    )
    .expect("it is there");
    queue
        .configure(&QueueConfig { max_attempts: 1, ..QueueConfig::default() })
        .expect("it answers");
    queue.put(&[("odd".to_owned(), Value::None)]).expect("there is room");
    demo(&redis, &["worker"]).run().assert_clean();
    let listed = demo(&redis, &["dead", "list"]).run();
    assert_eq!(listed.stdout(), "odd: tried 1 times; None is no number\n", "{listed}");
    let again = demo(&redis, &["dead", "retry", "odd"]).run();
    assert_eq!(again.stdout(), "1 tasks are to be tried again\n", "{again}");
}

#[test]
fn a_password_on_the_command_line_is_refused_and_so_is_a_server_elsewhere() {
    for (url, text) in [
        ("redis://me:secret@127.0.0.1", "--key-file"),
        ("redis://192.0.2.1:6379", "--plain"),
        ("rediss://127.0.0.1", "TLS"),
        ("127.0.0.1:6379", "URL"),
    ] {
        let report = Judge::program(PROGRAM).args(["stats", "--once", "--redis", url]).run();
        assert_eq!(report.code(), Some(1), "{report}");
        assert!(report.stderr().contains(text) && !report.stderr().contains("secret"), "{report}");
    }
}

/// The lines of the README.
#[test]
#[cfg_attr(not(redis_server), ignore = "redis-server is not installed")]
fn a_worker_and_a_master_need_no_more_rights_than_the_readme_gives_them() {
    let readme = include_str!("../README.md");
    let users = readme.lines().filter(|line| line.starts_with("user "));
    let users: Vec<_> = users.map(|line| line.replace("PASSWORD", "secret")).collect();
    assert_eq!(users.len(), 2, "{users:?}");
    let lines = format!("appendonly yes\n{}\n", users.join("\n"));
    let redis = Redis::start_with(lasting(SHORT), &lines);
    let open = |user: &str| {
        let url = redis.url().replace("//", &format!("//{user}@"));
        RedisTasks::open(&url, Some(&Key::new(b"secret")), "tasks", ABSENCE).expect("it may")
    };
    let (mut master, mut worker) = (open("master"), open("worker"));
    master.configure(&lasting(SHORT)).expect("it may");
    assert_eq!(master.risks().expect("it may"), [""; 0]);
    master.put(&numbers(0..4)).expect("it may");
    let leases = worker.take(4, ABSENCE).expect("it may");
    let fences: Vec<_> = leases.iter().map(Lease::fence).collect();
    worker.extend(&fences).expect("it may");
    worker.complete(&[(fences[0].clone(), Value::None)]).expect("it may");
    worker.fail(&fences[1], "no luck", Duration::ZERO).expect("it may");
    worker.release(&fences[2..3]).expect("it may");
    assert_eq!(worker.take(4, ABSENCE).expect("it may").len(), 2);
    assert!(worker.take(1, Duration::ZERO).expect("it may").is_empty());
    drop(worker);
    assert_eq!(master.stats().expect("it may").ready, 3);
    assert_eq!(master.results(&Cursor::default(), 10, SHORT).expect("it may").len(), 1);
    assert!(master.dead().expect("it may").is_empty());
    assert_eq!(master.retry(&[]).expect("it may"), 0);
    master.purge().expect("it may");
    // And no less: what is somebody else's is not theirs.
    let error = RedisTasks::open(
        &redis.url().replace("//", "//worker@"),
        Some(&Key::new(b"secret")),
        "others",
        ABSENCE,
    );
    let error = error.expect_err("that is another queue").to_string();
    assert!(error.to_lowercase().contains("permission"), "{error}");
}
