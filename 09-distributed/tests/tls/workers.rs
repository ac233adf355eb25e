//! Those who do the work, and large values.

use std::io::Read;
use std::time::Duration;

use distributed::{CallError, RemoteTasks, Running, TaskQueue, Tls, Value};
use judge::Judge;

use crate::support::{Dice, script, state, wait_for_waiting, wait_until, with_two_pythons};
use crate::{LONG, NONE, Pair, at, serve_with, serving};

const KILL: i32 = 9;
const STOP: i32 = 19;
const CONTINUE: i32 = 18;

/// Twelve million bytes, none like its neighbour.
fn big() -> Value {
    let mut dice = Dice(7);
    Value::Bytes((0..1_500_000).flat_map(|_| dice.roll().to_le_bytes()).collect())
}

#[test]
fn large_values_and_small_ones_arrive_as_they_were() {
    let (server, pair) = serving();
    let manager = at(server.address(), pair.tls("client")).reach(LONG).expect("it is there");
    let mut one = manager.queue("queue").expect("it is registered");
    let mut two = manager.queue("queue").expect("it is registered");
    for value in [Value::None, big(), Value::Int(3411), big()] {
        one.put_value(value, None).expect("there is room");
    }
    for value in [Value::None, big(), Value::Int(3411), big()] {
        assert!(two.get_value(Some(NONE)).expect("it was put") == value);
    }
    assert!(matches!(two.get_value(Some(NONE)), Err(CallError::Empty)));
}

judge::scenario! {
    /// A worker that gets one value, or takes one task on lease, and keeps it.
    fn gets_or_takes() -> Result<(), Box<dyn std::error::Error>> {
        let variable = |name: &str| std::env::var(name);
        let manager = at(variable("ADDRESS")?.parse()?, Tls::from_file(variable("FILE")?)?);
        println!("there");
        if variable("LEASE").is_ok() {
            let mut tasks = RemoteTasks::open(&manager, "queue", LONG)?;
            println!("{} taken", tasks.take(1, LONG)?.len());
            std::io::stdin().read_to_end(&mut Vec::new())?;
        } else {
            let mut queue = manager.queue("queue")?;
            let value = queue.get_value(None)?;
            println!("{}", if value == big() { "whole" } else { "another" });
            std::io::stdin().read_to_end(&mut Vec::new())?;
        }
        Ok(())
    }
}

fn worker_of(server: &Running, pair: &Pair) -> Judge {
    let worker = Judge::scenario(&gets_or_takes).env("ADDRESS", server.address().to_string());
    worker.env("FILE", pair.file("client"))
}

#[test]
fn a_killed_worker_says_no_goodbye_and_takes_nothing_with_it() {
    let (server, pair) = serving();
    let open = || at(server.address(), pair.tls("client"));
    let mut queue = open().queue("queue").expect("it is registered");
    // It waits, and is killed before something comes, or when that is on its way already.
    for sent_before in [false, true, false, true] {
        let mut worker = worker_of(&server, &pair).start();
        worker.wait_for_line(|line| line == "there");
        wait_for_waiting(&mut queue, 1);
        let pid = worker.pid();
        let is = |wanted: &[char]| state(pid).is_none_or(|state| state.starts_with(wanted));
        if sent_before {
            worker.signal(STOP);
            wait_until(|| is(&['T']));
            queue.put(&7).expect("there is room");
        }
        worker.signal(KILL);
        wait_until(|| is(&['Z', 'X']));
        if !sent_before {
            queue.put(&7).expect("there is room");
        }
        let next = queue.get_timeout::<i32>(LONG);
        assert_eq!(next.expect("the killed worker took it along"), 7);
        assert_eq!(worker.finish().signal(), Some(KILL));
    }
    // It has got its value: that is given for good, and put back for nobody.
    let mut worker = worker_of(&server, &pair).start();
    queue.put(&7).expect("there is room");
    worker.wait_for_line(|line| line == "another");
    worker.signal(KILL);
    assert_eq!(worker.finish().signal(), Some(KILL));
    let next = queue.get_timeout::<i32>(Duration::from_millis(100));
    assert!(matches!(next, Err(CallError::Empty)), "{next:?}");
    // It has a task on lease.
    let mut tasks = RemoteTasks::open(&open(), "queue", LONG).expect("it is registered");
    tasks.put(&[("task".to_owned(), Value::None)]).expect("there is room");
    let mut worker = worker_of(&server, &pair).env("LEASE", "1").start();
    worker.wait_for_line(|line| line == "1 taken");
    worker.signal(KILL);
    let taken = tasks.take(1, LONG).expect("it answers");
    assert_eq!(taken.iter().map(|lease| lease.attempt).collect::<Vec<_>>(), [2]);
}

#[test]
fn who_is_slow_to_read_gets_all_of_it_and_keeps_nobody_waiting() {
    let (server, pair) = serving();
    let mut queue = at(server.address(), pair.tls("client")).queue("queue").expect("registered");
    let mut worker = worker_of(&server, &pair).start();
    worker.wait_for_line(|line| line == "there");
    wait_for_waiting(&mut queue, 1);
    let pid = worker.pid();
    worker.signal(STOP);
    wait_until(|| state(pid).is_some_and(|state| state.starts_with('T')));
    // More than the kernel takes for a connection: most of it stays with the server.
    queue.put_value(big(), None).expect("there is room");
    for number in 0..20 {
        queue.put(&number).expect("there is room");
        assert_eq!(queue.get::<i32>().expect("it was put"), number);
    }
    worker.signal(CONTINUE);
    worker.wait_for_line(|line| line == "whole");
    worker.close_stdin();
    worker.finish().assert_clean();
}

/// What a process has used of the CPU, in hundredths of a second: proc_pid_stat(5).
fn used(pid: i32) -> u64 {
    let state = state(pid).expect("it lives");
    state.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

#[test]
fn who_asks_and_does_not_read_is_not_answered_any_further_until_he_does() {
    with_two_pythons(|python| {
        let pair = Pair::new();
        let (serving, address) = serve_with(&pair);
        let asking = script(python, "over_tls.py").env("FILE", pair.file("client"));
        let mut asking = asking.env("PORT", address.port().to_string()).start();
        asking.wait_for_line(|line| line == "asked");
        let honest = at(address, pair.tls("client"));
        honest.queue("get_task_queue").expect("it answers others");
        // And waits for him as one waits: a server that asked the kernel again and again would use all of the CPU, and
        // would not stop, as one does that has still something to write.
        let idle = || {
            let before = used(serving.pid());
            #[expect(
                clippy::disallowed_methods,
                reason = "what it does in this time is the subject"
            )]
            std::thread::sleep(Duration::from_millis(300));
            used(serving.pid()) - before < 10
        };
        assert!((0..20).any(|_| idle()), "it is busy, with nothing");
        asking.write_stdin("\n");
        asking.wait_for_line(|line| line == "read");
        asking.finish().assert_clean();
    });
}
