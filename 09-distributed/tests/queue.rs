//! A queue in a server, from the Rust side: what is promised to everybody who is honest.

mod support;

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use distributed::{CallError, ConnectError, QueueConfig, Server};
use support::{key, manager, server, wait_for_waiting};

const SOON: Duration = Duration::from_millis(50);

#[test]
fn what_one_puts_another_gets_in_order() {
    let server = server();
    let mut one = manager(&server).queue("get_task_queue").expect("it is registered");
    let mut two = manager(&server).queue("get_task_queue").expect("it is registered");
    for number in 0..100 {
        one.put(&number).expect("there is room");
    }
    assert_eq!(two.qsize().expect("it answers"), 100);
    for number in 0..100 {
        assert_eq!(two.get::<i32>().expect("it was put"), number);
    }
    assert!(one.is_empty().expect("it answers"));
}

#[test]
fn a_get_that_waits_gets_what_is_put_and_the_first_comer_first() {
    let server = server();
    let mut queue = manager(&server).queue("get_task_queue").expect("it is registered");
    let (sender, got) = channel();
    std::thread::scope(|scope| {
        for comer in 0..3 {
            let mut theirs = manager(&server).queue("get_task_queue").expect("it is registered");
            let sender = sender.clone();
            scope.spawn(move || sender.send((comer, theirs.get::<i32>().expect("one is put"))));
            wait_for_waiting(&mut queue, comer + 1);
        }
        for number in 0..3 {
            queue.put(&number).expect("there is room");
        }
    });
    drop(sender);
    let mut got: Vec<_> = got.iter().collect();
    got.sort_unstable();
    assert_eq!(got, [(0, 0), (1, 1), (2, 2)]);
}

#[test]
fn a_put_that_waits_for_room_keeps_its_place_and_its_value() {
    let server = server();
    let mut queue = manager(&server).queue("get_small_queue").expect("it is registered");
    queue.put(&1).expect("there is room");
    queue.put(&2).expect("there is room");
    assert!(matches!(queue.put_timeout(&0, SOON), Err(CallError::Full)));
    std::thread::scope(|scope| {
        let mut theirs = manager(&server).queue("get_small_queue").expect("it is registered");
        scope.spawn(move || theirs.put(&3).expect("there will be room"));
        wait_for_waiting(&mut queue, 1);
        assert_eq!(queue.get::<i32>().expect("it was put"), 1);
    });
    assert_eq!(queue.get::<i32>().expect("it was put"), 2);
    assert_eq!(queue.get::<i32>().expect("it was put"), 3);
}

#[test]
fn a_wait_ends_on_time_and_takes_nothing_later() {
    let server = server();
    let mut queue = manager(&server).queue("get_task_queue").expect("it is registered");
    let start = Instant::now();
    assert!(matches!(queue.get_timeout::<i32>(SOON), Err(CallError::Empty)));
    assert!(start.elapsed() >= SOON && start.elapsed() < Duration::from_secs(5));
    queue.put(&1).expect("there is room");
    assert_eq!(queue.qsize().expect("it answers"), 1);
}

#[test]
fn join_returns_when_all_is_done_and_not_before() {
    let server = server();
    let mut queue = manager(&server).queue("get_task_queue").expect("it is registered");
    queue.put(&1).expect("there is room");
    queue.put(&2).expect("there is room");
    std::thread::scope(|scope| {
        let mut theirs = manager(&server).queue("get_task_queue").expect("it is registered");
        let joined = scope.spawn(move || theirs.join());
        wait_for_waiting(&mut queue, 1);
        queue.task_done().expect("one is done");
        wait_for_waiting(&mut queue, 1);
        queue.task_done().expect("both are done");
        joined.join().expect("no panic").expect("it answers");
    });
    let error = queue.task_done().expect_err("that is one too many");
    assert_eq!(error.to_string(), "ValueError: task_done() called too many times");
}

#[test]
fn what_is_not_exposed_is_refused_and_what_is_not_registered_too() {
    let server = server();
    let mut queue = manager(&server).queue("get_put_only").expect("it is registered");
    assert_eq!(queue.exposed(), ["put"]);
    queue.put(&1).expect("that is exposed");
    let refused = queue.get::<i32>().expect_err("that is not");
    assert!(matches!(&refused, CallError::Refused(why) if why.contains("\"get\"")), "{refused}");
    let missing = manager(&server).queue("get_nothing").expect_err("it is not registered");
    assert!(
        matches!(&missing, ConnectError::Call(_, CallError::Refused(why)) if why.contains("get_nothing"))
    );
    assert!(!missing.is_temporary());
}

#[test]
fn a_value_of_another_type_is_an_error_that_says_which() {
    let server = server();
    let mut queue = manager(&server).queue("get_task_queue").expect("it is registered");
    queue.put("text").expect("there is room");
    let error = queue.get::<u8>().expect_err("a text is no number");
    assert!(error.to_string().contains("text"), "{error}");
    queue.put("more").expect("the connection works on");
}

#[test]
fn large_values_pass_and_hold_up_nobody() {
    let server = server();
    let mut queue = manager(&server).queue("get_task_queue").expect("it is registered");
    let text = "x".repeat(8 << 20);
    // A client that asks for much and does not read it.
    for _ in 0..3 {
        queue.put(&text).expect("there is room");
    }
    assert_eq!(queue.get::<String>().expect("it was put"), text);
    assert_eq!(queue.qsize().expect("it answers"), 2);
}

#[test]
fn a_server_that_is_gone_is_an_error_for_those_who_wait_in_it() {
    let server = server();
    let mut queue = manager(&server).queue("get_task_queue").expect("it is registered");
    let mut other = manager(&server).queue("get_task_queue").expect("it is registered");
    std::thread::scope(|scope| {
        let waits = scope.spawn(move || other.get::<i32>());
        wait_for_waiting(&mut queue, 1);
        drop(server);
        assert!(matches!(waits.join().expect("no panic"), Err(CallError::Lost(_))));
    });
    let error = queue.reconnect(SOON).expect_err("nobody is there");
    assert!(error.is_temporary(), "{error}");
}

#[test]
fn an_address_that_is_taken_says_by_whom() {
    let server = server();
    let second = Server::new(key()).share("queue", QueueConfig::default()).listen(server.address());
    let error = second.expect_err("it is taken").to_string();
    let (address, me) = (server.address().to_string(), format!("(process {})", std::process::id()));
    assert!(error.contains(&address) && error.contains("in use") && error.contains(&me), "{error}");
}
