//! The tutorial's scripts, in each Python of this machine, beside the Rust server, master and worker.

mod support;

use std::time::Duration;

use distributed::{CallError, Key, Manager, Value};
use judge::Judge;
use support::{PROGRAM, key, manager, script, server, with_each_python, with_two_pythons};

fn lines(text: &str, start: &str) -> usize {
    text.lines().filter(|line| line.starts_with(start)).count()
}

/// What a master prints, by whomever the work was done.
fn assert_master(text: &str) {
    assert_eq!(lines(text, "Put task "), 10, "{text}");
    assert_eq!(lines(text, "Result: "), 10, "{text}");
    for line in text.lines().filter_map(|line| line.strip_prefix("Result: ")) {
        let words: Vec<&str> = line.split(' ').collect();
        let [a, "*", b, "=", c] = words[..] else { panic!("{line}") };
        let number: u64 = a.parse().expect("a number");
        assert_eq!((a, number.pow(2).to_string()), (b, c.to_owned()));
    }
    assert!(text.ends_with("master exit.\n"), "{text}");
}

#[test]
fn a_python_worker_works_for_the_rust_server_and_master() {
    with_each_python(|python| {
        let server = server();
        let (address, port) = (server.address().to_string(), server.address().port().to_string());
        let worker = script(python, "task_worker.py").env("PORT", &port).start();
        let master = Judge::program(PROGRAM).args(["master", "--connect", &address]).run();
        master.assert_clean();
        assert_master(&master.stdout());
        let worker = worker.finish();
        worker.assert_clean();
        assert_eq!(lines(&worker.stdout(), "run task "), 10, "{worker}");
    });
}

#[test]
fn a_rust_worker_works_for_a_python_master_and_server() {
    with_two_pythons(|python| {
        let mut master = script(python, "task_master.py").env("PORT", "0").start();
        let line = master.wait_for_line(|line| line.starts_with("Serving on "));
        let address = format!("127.0.0.1:{}", line.rsplit(' ').next().unwrap_or_default());
        master.wait_for_line(|line| line == "Try get results...");
        // The server ends with its last result, and the worker sees that.
        let mut worker = Judge::program(PROGRAM).args(["worker", "--connect", &address]).start();
        for _ in 0..10 {
            worker.wait_for_line(|line| line.starts_with("run task "));
        }
        let report = master.finish();
        report.assert_clean();
        assert_master(&report.stdout());
        drop(worker);
    });
}

#[test]
fn python_and_rust_workers_share_one_queue_for_a_python_master() {
    with_two_pythons(|python| {
        let server = server();
        let (address, port) = (server.address().to_string(), server.address().port().to_string());
        let theirs = script(python, "task_worker.py").env("PORT", &port).start();
        let ours =
            Judge::program(PROGRAM).args(["worker", "--connect", &address, "--stay"]).start();
        let master = script(python, "remote_master.py").env("PORT", &port).run();
        master.assert_clean();
        assert_master(&master.stdout());
        drop((ours, theirs));
    });
}

#[test]
fn every_call_of_every_python_is_answered_as_its_own_server_would() {
    with_each_python(|python| {
        let server = server();
        let port = server.address().port().to_string();
        let report = script(python, "every_call.py").env("PORT", &port).env("SHUTDOWN", "1").run();
        report.assert_clean();
        assert_eq!(report.stdout(), "every call answered\n");
        // The last one was `shutdown`.
        assert!(Manager::connect(server.address(), &key()).is_err());
    });
}

#[test]
fn the_rust_client_makes_the_same_calls_to_pythons_server() {
    with_each_python(|python| {
        let mut serving = script(python, "serve.py").start();
        let line = serving.wait_for_line(|line| line.starts_with("Serving on "));
        let port: u16 = line.rsplit(' ').next().and_then(|port| port.parse().ok()).expect("a port");
        let address = ([127, 0, 0, 1], port).into();
        assert!(Manager::connect(address, &Key::new(b"another")).is_err());
        let manager = Manager::connect(address, &key()).expect("the key is right");

        let mut queue = manager.queue("get_task_queue").expect("it is registered");
        assert!(queue.exposed().iter().any(|method| method == "task_done"));
        queue.put(&(1, "two", 3.5, [4_u8], u128::MAX)).expect("there is room");
        let back: (i32, String, f64, Vec<u8>, u128) = queue.get().expect("it was put");
        assert_eq!(back, (1, "two".to_owned(), 3.5, vec![4], u128::MAX));
        assert!(matches!(queue.get_timeout::<i32>(Duration::ZERO), Err(CallError::Empty)));
        let set = Value::Set(vec![Value::Int(7), Value::Bytes(vec![0, 255])]);
        queue.put_value(Value::Dict(vec![("a".into(), set)]), None).expect("there is room");
        assert!(matches!(queue.get_value(None), Ok(Value::Dict(pairs)) if pairs.len() == 1));
        queue.task_done().expect("one is done");
        queue.task_done().expect("two are done");
        queue.join().expect("all are done");
        assert!(matches!(queue.task_done(), Err(CallError::Raised(..))));

        let mut small = manager.queue("get_small_queue").expect("it is registered");
        small.put(&0).expect("there is room for one");
        assert!(matches!(small.put_timeout(&1, Duration::from_millis(10)), Err(CallError::Full)));
        assert!(small.is_full().expect("it answers") && !small.is_empty().expect("it answers"));
        assert_eq!(small.qsize().expect("it answers"), 1);
        assert!(matches!(queue.call("mutex", &[]), Err(CallError::Refused(_))));

        let before = manager.number_of_objects().expect("it answers");
        drop((queue, small));
        assert_eq!(manager.number_of_objects().expect("it answers"), before - 2);
        manager.shutdown().expect("it is there");
        serving.finish().assert_clean();
    });
}

#[test]
fn a_python_with_another_key_is_refused_and_says_so() {
    with_two_pythons(|python| {
        let server = distributed::Server::new(Key::new(b"a key that nobody else has"));
        let server = server.listen("127.0.0.1:0").and_then(|it| it.spawn()).expect("it serves");
        let port = server.address().port().to_string();
        let report = script(python, "task_worker.py").env("PORT", port).run();
        assert_eq!(report.code(), Some(1), "{report}");
        assert!(
            report.stderr().contains("AuthenticationError: digest sent was rejected"),
            "{report}"
        );
    });
}

#[test]
fn a_hostile_object_is_an_error_for_the_sender_and_runs_nowhere() {
    with_two_pythons(|python| {
        let server = server();
        let port = server.address().port().to_string();
        let report = script(python, "hostile.py").env("PORT", port).run();
        report.assert_clean();
        assert!(
            report.stdout().contains("refused: a pickle that names \"builtins.print\""),
            "{report}"
        );
        // And the server is well.
        assert_eq!(manager(&server).number_of_objects().expect("it answers"), 0);
    });
}
