//! What the network does to connections, and what becomes of the tasks, and of those who wait.

#[path = "support/proxy.rs"]
mod proxy;
mod support;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use distributed::{
    CallError, Cursor, Done, Heartbeat, Manager, Outcome, QueueConfig, QueueError, RemoteTasks,
    Running, Server, TaskQueue, Value, Verdict, work,
};
use proxy::{Fault, Proxy, Way};
use support::{AtEnd, Dice, key, manager, times};

/// For a server's answer, through a network that may lose it.
const PATIENCE: Duration = Duration::from_millis(200);
const ABSENCE: Duration = Duration::from_secs(20);

fn serving(lease: Duration) -> Running {
    let config = QueueConfig { lease, max_attempts: 1000, ..QueueConfig::default() };
    let server = Server::new(key()).share("tasks", config);
    server.listen("127.0.0.1:0").and_then(|it| it.spawn()).expect("it serves")
}

fn open(proxy: &Proxy) -> RemoteTasks {
    let manager = Manager::at(proxy.address, &key()).patience(PATIENCE);
    RemoteTasks::open(&manager, "tasks", ABSENCE).expect("it gets through in time")
}

/// A master and three workers that reach the server through a bad network only. They do tasks until so many
/// connections were struck, or STRESS times as many, and 60 at least. Each has exactly one result.
fn assert_each_task_has_one_result(
    strikes: usize,
    fault: impl FnMut(usize) -> Fault + Send + 'static,
) {
    let server = serving(Duration::from_millis(500));
    let proxy = Proxy::new(server.address(), fault);
    let (strikes, done) = (strikes * times() as usize, AtomicBool::new(false));
    let results = std::thread::scope(|scope| {
        let _end = AtEnd(&done);
        for _ in 0..3 {
            scope.spawn(|| {
                let (mut tasks, beat) = (open(&proxy), open(&proxy));
                let heartbeat = Heartbeat::start(beat, ABSENCE).expect("it answers");
                while !done.load(Ordering::Relaxed) {
                    let idle = Some(Duration::from_millis(20));
                    work(&mut tasks, &heartbeat, 4, idle, |lease| match lease.body {
                        Value::Int(number) => Ok(Value::Int(number * number)),
                        _ => Err("no number".into()),
                    })
                    .expect("it gets through in time");
                }
            });
        }
        let (mut master, mut put) = (open(&proxy), 0);
        let mut results: Vec<Done> = Vec::new();
        while put < 60 || proxy.struck() < strikes {
            let tasks: Vec<_> = (put..put + 12).map(|n| (n.to_string(), Value::Int(n))).collect();
            put += 12;
            master.put(&tasks).expect("it gets through in time");
            let start = Instant::now();
            while results.len() < usize::try_from(put).expect("not negative") {
                assert!(start.elapsed() < ABSENCE, "{} of {put} and no more", results.len());
                let cursor = results.last().map(|done| done.cursor.clone()).unwrap_or_default();
                let more = master.results(&cursor, 5, Duration::from_millis(100));
                results.extend(more.expect("it gets through in time"));
            }
        }
        results
    });
    let mut near = RemoteTasks::open(&manager(&server), "tasks", ABSENCE).expect("it is there");
    let stats = near.stats().expect("it answers");
    assert_eq!((stats.done, stats.ready, stats.leased), (results.len(), 0, 0));
    let ids: HashSet<&str> = results.iter().map(|done| &*done.id).collect();
    assert_eq!(ids.len(), results.len(), "none has two");
    for Done { id, outcome, .. } in &results {
        let number: i64 = id.parse().expect("a number");
        assert_eq!(outcome, &Outcome::Value(Value::Int(number * number)));
    }
    println!("{} tasks, {} connections, {} struck", results.len(), proxy.made(), proxy.struck());
}

/// The fault for each connection, sooner or later, in one direction or the other.
fn always(fault: fn(Way, usize) -> Fault) -> impl FnMut(usize) -> Fault + Send {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    move |_| fault(*dice.pick(&[Way::There, Way::Back]), dice.below(2000))
}

#[test]
fn each_task_has_one_result_though_connections_are_cut_in_the_middle_of_messages() {
    assert_each_task_has_one_result(30, always(Fault::Cut));
}

#[test]
fn each_task_has_one_result_though_connections_become_silent() {
    assert_each_task_has_one_result(10, always(Fault::Silent));
}

#[test]
fn each_task_has_one_result_though_connections_break_between_request_and_answer() {
    let mut dice = Dice(11);
    // After the handshake and the greeting: at a `put`, a `take`, a result.
    assert_each_task_has_one_result(30, move |_| Fault::ResetAt(5 + dice.below(12)));
}

#[test]
fn each_task_has_one_result_though_bytes_come_late_and_one_at_a_time() {
    let mut dice = Dice(7);
    assert_each_task_has_one_result(0, move |_| {
        let late = Duration::from_millis(dice.below(20) as u64);
        *dice.pick(&[Fault::Late(late), Fault::Dribble])
    });
}

#[test]
fn a_result_whose_acknowledgement_was_lost_is_there_and_who_brings_it_again_is_told_so() {
    let server = serving(Duration::from_secs(60));
    let mut near = RemoteTasks::open(&manager(&server), "tasks", ABSENCE).expect("it is there");
    near.put(&[("one".to_owned(), Value::Int(1))]).expect("there is room");
    // The first connection is for a question, the second one for calls.
    let fault = |number| if number == 1 { Fault::ResetFor("complete") } else { Fault::None };
    let mut worker = open(&Proxy::new(server.address(), fault));
    let lease = worker.take(1, ABSENCE).expect("it answers").remove(0);
    let done = worker.complete(&[(lease.fence(), Value::Int(1))]).expect("it answers, later");
    assert_eq!(done, [Verdict::LeaseLost]);
    let log = near.results(&Cursor::default(), 10, Duration::ZERO).expect("it answers");
    assert_eq!((log.len(), &log[0].outcome), (1, &Outcome::Value(Value::Int(1))));
}

#[test]
fn nobody_waits_longer_than_his_patience_for_a_network_that_is_silent_or_slow() {
    let server = serving(Duration::from_secs(60));
    let patience = Duration::from_millis(400);
    let long = Value::Bytes(vec![0; 15 << 20]);
    let short = ("__str__", Vec::new());
    for (fault, (method, arguments)) in [
        (Fault::Silent(Way::There, 0), short.clone()),
        (Fault::Silent(Way::Back, 0), short.clone()),
        // A byte at a time would take a second, this request five.
        (Fault::Slow(Way::Back, 1), short),
        (Fault::Slow(Way::There, 1 << 16), ("put", vec![long])),
    ] {
        let proxy = Proxy::new(server.address(), |_| Fault::None);
        let manager = Manager::at(proxy.address, &key()).patience(patience);
        let mut queue = manager.queue("tasks").expect("nothing is wrong yet");
        proxy.turn(fault);
        let start = Instant::now();
        let silent = queue.call(method, &arguments);
        let took = start.elapsed();
        assert!(matches!(silent, Err(CallError::Silent)), "{fault:?}: {silent:?}");
        // Once to send and once to receive, on a machine that is busy.
        let most = 2 * patience + Duration::from_secs(1);
        assert!(took >= patience && took < most, "{fault:?}: {took:?}");
    }
}

#[test]
fn a_connection_that_breaks_each_time_is_given_up_after_a_while_and_not_tried_in_a_loop() {
    let server = serving(Duration::from_secs(60));
    let proxy = Proxy::new(server.address(), |_| Fault::ResetFor("stats"));
    let (absence, start) = (Duration::from_millis(500), Instant::now());
    let manager = Manager::at(proxy.address, &key());
    let mut tasks = RemoteTasks::open(&manager, "tasks", absence).expect("it is there");
    let broken = tasks.stats();
    assert!(matches!(broken, Err(QueueError::Call(CallError::Lost(_)))), "{broken:?}");
    assert!(start.elapsed() >= absence && start.elapsed() < absence + Duration::from_secs(5));
    assert!(proxy.made() < 50, "{} connections", proxy.made());
}
