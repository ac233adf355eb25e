//! What two processes have goes to a program that was started afresh, too: as descriptors.

use std::time::Duration;

use fork::Signal::SIGKILL;
use ipc::{
    Array, Condition, Event, Getter, Handover, Lock, Putter, Queue, RecvError, Semaphore, Value,
    duplex,
};
use judge::{Judge, check, scenario};
use process::{Process, Start, handed_over};

type Given = (Getter<u64>, Putter<u64>, ipc::Connection<String, u64>, (Lock, Value<u64>, Event));

fn works() -> u64 {
    let mut fds = handed_over().into_iter();
    let given: Given = Handover::from_fds(&mut fds).expect("what was handed over");
    let (getter, putter, connection, (lock, value, done)) = given;
    let mut count = 0;
    for number in getter.iter() {
        putter.put(&(number.expect("a number") * 2)).expect("somebody gets");
        count += 1;
    }
    let number = connection.recv().expect("a number");
    connection.send(&format!("{number}!")).expect("sent");
    let guard = lock.lock().expect("open");
    value.update(|value| *value += 40).expect("open");
    drop(guard);
    done.set();
    count
}

scenario!(
    fn starts_a_program_afresh() {
        process::init();
        for method in [Start::Fork, Start::Spawn] {
            let (to_child, theirs) = Queue::new(4).expect("a queue").split().expect("ends");
            let (answer, answers) = Queue::new(4).expect("a queue").split().expect("ends");
            let (here, there) = duplex::<u64, String>().expect("a pipe");
            let lock = Lock::new().expect("a lock");
            let (value, done) =
                (Value::new(2_u64).expect("a value"), Event::new().expect("an event"));
            let given: Given = (theirs, answer, there, (lock, value.clone(), done.clone()));
            let fds = given.into_fds().expect("descriptors");
            let mut process: Process<u64> = Process::new(works, ()).method(method).hand_over(fds);
            process.start().expect("a process");
            let right = (0..20).all(|number| {
                to_child.put(&number).expect("it gets");
                answers.get().expect("an answer") == number * 2
            });
            drop(to_child);
            here.send(&7).expect("sent");
            let said = here.recv().expect("an answer");
            done.wait_within(Duration::from_secs(10)).expect("it is done");
            let name = format!("{method:?}");
            let result = process.join().expect("its value");
            let ended = matches!(answers.get(), Err(RecvError::Closed));
            let all = right && said == "7!" && value.get() == Ok(42) && result == 20 && ended;
            check(
                &name,
                all,
                "queue, pipe, lock, value and event work on both sides, and the end is told",
            );
        }
    }
);

/// Runs it, and lets it leave over what `process` keeps for as long as its process lives: the pipe by
/// which children see their parent's end.
fn run_clean(scenario: &judge::Scenario, checks: &[&str]) {
    let report = Judge::scenario(scenario).declare(checks.iter().copied()).run();
    let left = report.left_over();
    let only = judge::Leftovers { descriptors: left.descriptors.clone(), ..Default::default() };
    assert_eq!((left, report.code()), (&only, Some(0)), "{report}");
    let pipes = left.descriptors.iter().all(|it| it.contains("pipe:"));
    assert!(pipes && left.descriptors.len() <= 2, "{report}");
    let passed = |name: &&str| report.checks().iter().any(|it| it.name == **name && it.passed);
    assert!(checks.iter().all(passed), "{report}");
}

#[test]
fn ends_and_locks_go_to_a_forked_and_to_a_spawned_process_by_descriptors() {
    run_clean(&starts_a_program_afresh, &["Fork", "Spawn"]);
}

fn dies_with_all() -> u64 {
    let mut fds = handed_over().into_iter();
    let given: (Putter<u64>, Array<u32>, Semaphore, Condition) =
        Handover::from_fds(&mut fds).expect("what was handed over");
    let (putter, array, semaphore, _condition) = given;
    let _guards = (array.lock().expect("open"), semaphore.acquire().expect("free"));
    putter.put(&1).expect("room");
    nix::sys::signal::raise(SIGKILL).expect("it dies");
    0
}

scenario!(
    fn a_spawned_process_dies() {
        process::init();
        let (putter, getter) = Queue::<u64>::new(4).expect("a queue").split().expect("ends");
        let (array, semaphore) =
            (Array::new(&[1, 2]).expect("one"), Semaphore::new(1).expect("one"));
        let condition = Condition::new().expect("one");
        let given = (putter, array.clone(), semaphore.clone(), condition);
        let fds = given.into_fds().expect("descriptors");
        let mut process: Process<u64> =
            Process::new(dies_with_all, ()).method(Start::Spawn).hand_over(fds);
        process.start().expect("a process");
        check("value", getter.get().ok() == Some(1), "what it put is there");
        check("end", matches!(getter.get(), Err(RecvError::Closed)), "its end is told");
        let died = array.lock().is_ok_and(|guard| guard.former_owner_died());
        check("lock", died, "its lock opens");
        let died = semaphore.acquire().is_ok_and(|permit| permit.former_holder_died());
        check("permit", died, "its permit is free");
        check("process", process.join().is_err(), "and its parent is told");
    }
);

#[test]
fn the_death_of_a_spawned_process_is_told_like_that_of_a_forked_one() {
    run_clean(&a_spawned_process_dies, &["value", "end", "lock", "permit", "process"]);
}

#[test]
fn too_few_descriptors_are_an_error() {
    let given: std::io::Result<Lock> = Handover::from_fds(&mut std::iter::empty());
    assert_eq!(given.expect_err("refused").kind(), std::io::ErrorKind::UnexpectedEof);
}
