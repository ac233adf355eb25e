//! The task queue in this lesson's server: what every engine promises, and then workers that are killed and stopped.

mod conformance;
mod kill;
mod support;

use std::io::BufRead;
use std::net::SocketAddr;
use std::time::Duration;

use distributed::{
    Cursor, Fence, Heartbeat, Manager, Outcome, QueueConfig, QueueError, RemoteTasks, Running,
    Server, TaskQueue, Value, Verdict, work,
};
use judge::Judge;
use support::{key, manager, script, with_two_pythons};

const ABSENCE: Duration = Duration::from_secs(10);

fn serving(lease: Duration, max_attempts: u32, capacity: usize) -> Running {
    serving_with(QueueConfig { lease, max_attempts, capacity, ..QueueConfig::default() })
}

fn serving_with(config: QueueConfig) -> Running {
    let plain = QueueConfig { results: Some("get_result_queue".to_owned()), ..config.clone() };
    let server = Server::new(key()).share("tasks", config.clone());
    let server = server.share("get_task_queue", plain).share("get_result_queue", config);
    server.listen("127.0.0.1:0").and_then(|it| it.spawn()).expect("it serves")
}

fn tasks(server: &Running, name: &str) -> RemoteTasks {
    RemoteTasks::open(&manager(server), name, ABSENCE).expect("it is registered")
}

impl conformance::Setup for Running {
    type Queue = RemoteTasks;
    fn new(config: QueueConfig) -> Running {
        serving_with(config)
    }
    fn client(&self) -> RemoteTasks {
        tasks(self, "tasks")
    }
}

conformance!(Running);

fn connect() -> Result<Manager, Box<dyn std::error::Error>> {
    let address: SocketAddr = std::env::var("ADDRESS")?.parse()?;
    Ok(Manager::connect(address, &key())?)
}

judge::scenario! {
    /// A worker that does one task and says where it is, and goes on when it is told to.
    fn steps() -> Result<(), Box<dyn std::error::Error>> {
        let mut queue = RemoteTasks::open(&connect()?, "tasks", ABSENCE)?;
        let mut orders = std::io::stdin().lock().lines();
        let mut pause = |step: &str| {
            println!("{step}");
            orders.next();
        };
        pause("connected");
        let leases = queue.take(1, ABSENCE)?;
        pause("taken");
        let Value::Int(number) = leases[0].body else { return Err("no number".into()) };
        let result = Value::Int(number * number);
        pause("worked");
        let verdicts = queue.complete(&[(leases[0].fence(), result)])?;
        pause(&format!("completed {:?}", verdicts[0]));
        Ok(())
    }
}

fn put(queue: &mut RemoteTasks, numbers: std::ops::Range<i64>) {
    let tasks: Vec<_> = numbers.map(|n| (format!("task {n}"), Value::Int(n))).collect();
    queue.put(&tasks).expect("there is room");
}

#[test]
fn whenever_a_worker_is_killed_its_task_is_done_and_its_result_there_once() {
    for killed_when in ["connected", "taken", "worked", "completed Accepted"] {
        let server = serving(Duration::from_secs(60), 5, 100);
        let mut master = tasks(&server, "tasks");
        put(&mut master, 3..4);
        let worker =
            || Judge::scenario(&steps).env("ADDRESS", server.address().to_string()).start();
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
        let values: Vec<_> = results.iter().map(|done| (&*done.id, &done.outcome)).collect();
        assert_eq!(
            values,
            [("task 3", &Outcome::Value(Value::Int(9)))],
            "killed when {killed_when}"
        );
        assert_eq!(master.stats().expect("it answers").leased, 0);
    }
}

#[test]
fn a_worker_that_was_stopped_past_its_lease_is_refused_when_it_goes_on() {
    let server = serving(Duration::from_millis(300), 5, 100);
    let mut master = tasks(&server, "tasks");
    put(&mut master, 3..4);
    let mut stopped = Judge::scenario(&steps).env("ADDRESS", server.address().to_string()).start();
    stopped.write_stdin("on\non\n");
    stopped.wait_for_line(|line| line == "worked");
    stopped.signal(19);
    let lease = master.take(1, ABSENCE).expect("it answers").remove(0);
    assert_eq!((lease.attempt, &lease.body), (2, &Value::Int(3)));
    stopped.signal(18);
    stopped.write_stdin("on\n");
    stopped.wait_for_line(|line| line == "completed LeaseLost");
    let done = master.complete(&[(lease.fence(), Value::Int(9))]).expect("it answers");
    assert_eq!(done, [Verdict::Accepted]);
    assert_eq!(master.results(&Cursor::default(), 10, ABSENCE).expect("it answers").len(), 1);
}

judge::scenario! {
    /// A worker as the library makes it, with its heartbeat.
    fn works() -> Result<(), QueueError> {
        let manager = connect().map_err(|error| QueueError::Answer(error.to_string()))?;
        let open = || RemoteTasks::open(&manager, "tasks", ABSENCE);
        kill::square(open()?, open()?)
    }
}

#[test]
fn four_workers_killed_stopped_and_continued_at_random_lose_no_task_and_repeat_no_result() {
    let server = serving(Duration::from_millis(250), 1000, 100_000);
    let start = || Judge::scenario(&works).env("ADDRESS", server.address().to_string());
    kill::four_workers(&mut tasks(&server, "tasks"), start, |_| ());
}

#[test]
fn a_task_that_panics_is_dead_with_its_message_and_the_others_are_done() {
    let server = serving(Duration::from_secs(60), 2, 100);
    let mut queue = tasks(&server, "tasks");
    put(&mut queue, 0..4);
    let heartbeat = Heartbeat::start(tasks(&server, "tasks"), ABSENCE).expect("it answers");
    let idle = Some(Duration::from_secs(1));
    let accepted = work(&mut queue, &heartbeat, 2, idle, |lease| match lease.body {
        Value::Int(2) => panic!("two is bad luck"),
        ref other => Ok(other.clone()),
    });
    assert_eq!(accepted.expect("it answers"), 3);
    let dead = queue.dead().expect("it answers");
    assert_eq!((dead.len(), dead[0].id.as_deref(), dead[0].attempts), (1, Some("task 2"), 2));
    assert_eq!(dead[0].error.as_deref(), Some("panicked: two is bad luck"));
    // And once more, by hand.
    assert_eq!(queue.retry(&["task 2".to_owned()]).expect("it answers"), 1);
    assert!(queue.dead().expect("it answers").is_empty());
    let lease = queue.take(1, ABSENCE).expect("it answers").remove(0);
    assert_eq!((&*lease.id, lease.attempt), ("task 2", 1));
}

#[test]
fn a_heartbeat_ends_at_its_limit_for_a_task_that_hangs() {
    let server = serving(Duration::from_millis(200), 5, 100);
    let (mut hangs, mut next) = (tasks(&server, "tasks"), tasks(&server, "tasks"));
    put(&mut next, 0..1);
    let limit = Duration::from_millis(600);
    let heartbeat = Heartbeat::start(tasks(&server, "tasks"), limit).expect("it answers");
    let leases = hangs.take(1, ABSENCE).expect("it answers");
    heartbeat.hold(&leases);
    let start = std::time::Instant::now();
    assert_eq!(next.take(1, ABSENCE).expect("it answers")[0].attempt, 2);
    assert!(start.elapsed() >= Duration::from_millis(400), "it was kept for longer than a lease");
}

#[test]
fn a_task_from_pythons_put_is_lent_too_and_its_result_comes_by_get() {
    let server = serving(Duration::from_secs(60), 5, 100);
    let mut python = manager(&server).queue("get_task_queue").expect("it is registered");
    let mut results = manager(&server).queue("get_result_queue").expect("it is registered");
    python.put(&7).expect("there is room");
    let lost = tasks(&server, "get_task_queue").take(1, ABSENCE).expect("it answers");
    assert_eq!(lost[0].body, Value::Int(7));
    // That worker has gone; the next one gets it.
    let mut worker = tasks(&server, "get_task_queue");
    let lease = worker.take(1, ABSENCE).expect("it answers").remove(0);
    assert_eq!(lease.attempt, 2);
    worker.complete(&[(lease.fence(), Value::Int(49))]).expect("it answers");
    assert_eq!(results.get::<i64>().expect("it came"), 49);
    python.join().expect("all is done");
}

#[test]
fn leases_are_there_for_python_too() {
    with_two_pythons(|python| {
        let (lease, max_attempts, capacity, max_body) = (Duration::from_millis(300), 2, 5, 1000);
        let config = QueueConfig { lease, max_attempts, capacity, max_body, ..Default::default() };
        let server = serving_with(config);
        let port = server.address().port().to_string();
        let report = script(python, "leases.py").env("PORT", port).run();
        report.assert_clean();
        assert_eq!(report.stdout(), "all on lease\n");
    });
}

fn serving_on(address: SocketAddr) -> Running {
    let server = Server::new(key()).share("tasks", QueueConfig::default()).listen(address);
    server.and_then(|it| it.spawn()).expect("the port is free again")
}

#[test]
fn whatever_is_asked_first_of_a_restarted_server_it_says_that_it_has_forgotten() {
    type Call = fn(&mut RemoteTasks, &Fence) -> Result<(), QueueError>;
    let calls: [Call; 7] = [
        |queue, _| queue.put(&[("x".to_owned(), Value::None)]).map(drop),
        |queue, _| queue.take(1, Duration::ZERO).map(drop),
        |queue, fence| queue.extend(std::slice::from_ref(fence)).map(drop),
        |queue, fence| queue.complete(&[(fence.clone(), Value::None)]).map(drop),
        |queue, fence| queue.fail(fence, "no luck", Duration::ZERO).map(drop),
        |queue, fence| queue.release(std::slice::from_ref(fence)).map(drop),
        |queue, _| queue.results(&Cursor::default(), 1, Duration::ZERO).map(drop),
    ];
    let mut server = serving(Duration::from_secs(60), 5, 1000);
    let address = server.address();
    for call in calls {
        let mut queue = tasks(&server, "tasks");
        put(&mut queue, 0..1);
        let fence = queue.take(1, ABSENCE).expect("it answers").remove(0).fence();
        drop(server);
        server = serving_on(address);
        assert!(matches!(call(&mut queue, &fence), Err(QueueError::Forgotten)));
        call(&mut queue, &fence).expect("it was said");
    }
}

#[test]
fn a_worker_goes_on_with_a_restarted_servers_tasks() {
    let first = serving(Duration::from_secs(60), 5, 100);
    let address = first.address();
    put(&mut tasks(&first, "tasks"), 0..1);
    let mut worker =
        Judge::scenario(&works).env("ADDRESS", address.to_string()).env("SAYS", "1").start();
    worker.wait_for_line(|line| line == "task 0");
    drop(first);
    let second = serving_on(address);
    put(&mut tasks(&second, "tasks"), 1..2);
    worker.wait_for_line(|line| line == "task 1");
}

#[test]
fn a_restarted_server_has_forgotten_and_a_master_that_puts_again_gets_everything() {
    let first = serving(Duration::from_secs(60), 5, 1000);
    let (address, mut master) = (first.address(), tasks(&first, "tasks"));
    assert!(!master.durable());
    put(&mut master, 0..100);
    drop(first);
    let _second = serving_on(address);
    // It comes back by itself; its tasks don't. Whoever calls is told, once.
    assert!(matches!(master.stats(), Err(QueueError::Forgotten)));
    assert_eq!(master.stats().expect("it is back").ready, 0);
    put(&mut master, 0..100);
    assert_eq!(master.stats().expect("it answers").ready, 100);
}
