//! Processes that are killed, and what becomes of the others, and of the tasks.

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use distributed::{CallError, Manager, RemoteQueue};
use judge::{Judge, Running};
use support::{
    PROGRAM, key, manager, script, serve, server, state, wait_for_waiting, wait_until,
    with_two_pythons,
};

const KILL: i32 = 9;
const STOP: i32 = 19;
const CONTINUE: i32 = 18;

judge::scenario! {
    /// A worker that waits for a task for ever.
    fn waits() -> Result<(), Box<dyn std::error::Error>> {
        let address: SocketAddr = std::env::var("ADDRESS")?.parse()?;
        let mut queue = Manager::connect(address, &key())?.queue("get_task_queue")?;
        println!("waiting");
        let task: u32 = queue.get()?;
        println!("{task}");
        Ok(())
    }
}

/// Kills a worker while it waits. The next one gets the task, whether it is put after that or (`before`) was
/// sent to the dying worker already.
///
/// Between the two lies a moment that nobody can see from outside: the kernel has copied the answer to the
/// worker's memory, and the worker dies before it looks. That is what leases are for.
fn assert_takes_nothing(queue: &mut RemoteQueue, mut worker: Running, before: bool, task: u32) {
    worker.wait_for_line(|line| line == "waiting");
    wait_for_waiting(queue, 1);
    let pid = worker.pid();
    let is = |wanted: &[char]| state(pid).is_none_or(|state| state.starts_with(wanted));
    if before {
        worker.signal(STOP);
        wait_until(|| is(&['T']));
        queue.put(&task).expect("there is room");
        worker.signal(KILL);
    } else {
        worker.signal(KILL);
        wait_until(|| is(&['Z', 'X']));
        queue.put(&task).expect("there is room");
    }
    let next = queue.get_timeout::<u32>(Duration::from_secs(5));
    assert_eq!(next.expect("the killed worker took it along"), task);
    assert_eq!(worker.finish().signal(), Some(KILL));
}

#[test]
fn a_worker_killed_while_it_waits_in_get_takes_nothing_with_it() {
    let server = server();
    let mut queue = manager(&server).queue("get_task_queue").expect("it is registered");
    for task in 0..8 {
        let worker = Judge::scenario(&waits).env("ADDRESS", server.address().to_string());
        assert_takes_nothing(&mut queue, worker.start(), task % 2 == 0, task);
    }
}

#[test]
fn a_python_worker_killed_while_it_waits_in_get_takes_nothing_with_it() {
    with_two_pythons(|python| {
        let server = server();
        let mut queue = manager(&server).queue("get_task_queue").expect("it is registered");
        for task in 0..2 {
            let port = server.address().port().to_string();
            let worker = script(python, "waiter.py").env("PORT", port).start();
            assert_takes_nothing(&mut queue, worker, task % 2 == 0, task);
        }
    });
}

#[test]
fn a_killed_server_is_back_on_its_port_at_once_and_its_clients_with_it() {
    let (mut serving, address) = serve("127.0.0.1:0");
    let mut queue = Manager::connect(address, &key()).and_then(|it| it.queue("get_task_queue"));
    let queue = queue.as_mut().expect("it is there");
    let worker =
        Judge::program(PROGRAM).args(["worker", "--stay", "--connect", &address.to_string()]);
    let mut worker = worker.env("AUTHKEY", "abc").start();
    queue.put(&2).expect("there is room");
    worker.wait_for_line(|line| line == "run task 2 * 2...");

    serving.signal(KILL);
    assert_eq!(serving.finish().signal(), Some(KILL));
    assert!(matches!(queue.put(&3), Err(CallError::Lost(_))));
    let (_serving, _) = serve(&address.to_string());
    queue.reconnect(Duration::from_secs(10)).expect("it is back");
    queue.put(&3).expect("there is room");
    worker.wait_for_line(|line| line == "run task 3 * 3...");
    let mut results = Manager::connect(address, &key()).and_then(|it| it.queue("get_result_queue"));
    let result: String = results.as_mut().expect("it is there").get().expect("it was put");
    assert_eq!(result, "3 * 3 = 9");
}

#[test]
fn a_worker_killed_when_its_task_was_put_already_takes_nothing_with_it() {
    let (mut serving, address) = serve("127.0.0.1:0");
    let open = || Manager::connect(address, &key()).and_then(|it| it.queue("get_task_queue"));
    let (mut queue, mut puts) = (open().expect("it is there"), open().expect("it is there"));
    let mut worker = Judge::scenario(&waits).env("ADDRESS", address.to_string()).start();
    worker.wait_for_line(|line| line == "waiting");
    wait_for_waiting(&mut queue, 1);
    // The server finds both at the same time: first the task, then the worker's end.
    let (server, pid) = (serving.pid(), worker.pid());
    serving.signal(STOP);
    wait_until(|| state(server).is_some_and(|state| state.starts_with('T')));
    std::thread::scope(|scope| {
        scope.spawn(|| puts.put(&7).expect("there is room"));
        wait_until(|| unread_bytes(address.port()) > 0);
        worker.signal(KILL);
        wait_until(|| state(pid).is_none_or(|state| state.starts_with(['Z', 'X'])));
        serving.signal(CONTINUE);
    });
    let next = queue.get_timeout::<u32>(Duration::from_secs(5));
    assert_eq!(next.expect("the killed worker took it along"), 7);
}

/// How much has arrived at a port of this machine and was not read yet, by all its connections: proc_pid_net(5).
fn unread_bytes(port: u16) -> u64 {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux has it");
    let connections = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ours = connections.filter(|it| it[1].ends_with(&format!(":{port:04X}")) && it[3] == "01");
    let unread = ours.filter_map(|it| u64::from_str_radix(it[4].split_once(':')?.1, 16).ok());
    unread.sum()
}

#[test]
fn a_client_that_does_not_take_its_answers_does_not_fill_the_server() {
    with_two_pythons(|python| {
        let (serving, address) = serve("127.0.0.1:0");
        let mut greedy =
            script(python, "greedy.py").env("PORT", address.port().to_string()).start();
        greedy.wait_for_line(|line| line == "asked");
        // It has been at it when it answers others.
        let manager = Manager::connect(address, &key()).expect("it is there");
        let mut queue = manager.queue("get_result_queue").expect("it is registered");
        for number in 0..20 {
            queue.put(&number).expect("there is room");
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", serving.pid()));
        let status = status.expect("it lives");
        let peak =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it is there");
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
        assert!(peak < 100 << 10, "the server took {peak} kB");
        drop(greedy);
    });
}

#[test]
fn a_stopped_server_is_silent_and_not_waited_for_longer_than_was_asked() {
    let (mut serving, address) = serve("127.0.0.1:0");
    let manager = Manager::connect(address, &key()).expect("it is there");
    let mut queue = manager.patience(Duration::from_millis(200)).queue("get_task_queue");
    let queue = queue.as_mut().expect("it is there");
    serving.signal(STOP);
    let pid = serving.pid();
    wait_until(|| state(pid).is_some_and(|state| state.starts_with('T')));
    let start = Instant::now();
    assert!(matches!(queue.qsize(), Err(CallError::Silent)));
    assert!(start.elapsed() < Duration::from_secs(10));
    serving.signal(CONTINUE);
    queue.reconnect(Duration::from_secs(10)).expect("it is there again");
    assert_eq!(queue.qsize().expect("it answers"), 0);
}

#[test]
fn a_signal_that_is_handled_changes_nothing_for_a_client_that_waits() {
    let server = server();
    let mut queue = manager(&server).queue("get_task_queue").expect("it is registered");
    let worker = Judge::scenario(&waits).env("ADDRESS", server.address().to_string());
    let mut worker = worker.start();
    worker.wait_for_line(|line| line == "waiting");
    wait_for_waiting(&mut queue, 1);
    // Stopping and continuing interrupts the call that waits (EINTR), as signal(7) says.
    worker.signal(STOP);
    worker.signal(CONTINUE);
    queue.put(&7).expect("there is room");
    worker.wait_for_line(|line| line == "7");
    worker.finish().assert_clean();
}
