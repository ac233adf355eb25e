//! Whoever waits costs nothing.

use std::fs;
use std::time::Duration;

use fork::Signal::SIGKILL;
use ipc::{Condition, Event, Lock, Queue, Semaphore, Value, duplex};
use judge::{Judge, check, scenario};

/// Nanoseconds that the process's threads have run, from the scheduler's own count.
fn ran(pid: i32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("it lives").flatten();
    let of = |path: std::path::PathBuf| -> Option<u64> {
        fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse().ok()
    };
    tasks.filter_map(|task| of(task.path())).sum()
}

scenario!(
    fn everybody_waits() {
        let queue = Queue::<u64>::new(1).expect("a queue");
        let full = Queue::<u64>::new(1).expect("a queue");
        full.put(&1).expect("room");
        let (here, _there) = duplex::<u8, u8>().expect("a pipe");
        let lock = Lock::new().expect("a lock");
        let _guard = lock.lock().expect("open");
        let semaphore = Semaphore::new(1).expect("a semaphore");
        let _permit = semaphore.acquire().expect("free");
        let (event, value) = (Event::new().expect("an event"), Value::new(0).expect("a value"));
        let condition = Condition::new().expect("one");
        let child = fork::fork(|| {
            std::thread::scope(|scope| {
                scope.spawn(|| queue.get());
                scope.spawn(|| full.put(&2));
                scope.spawn(|| full.join());
                scope.spawn(|| lock.lock().is_ok());
                scope.spawn(|| semaphore.acquire().is_ok());
                scope.spawn(|| event.wait());
                scope.spawn(|| {
                    let guard = value.lock().expect("open");
                    condition.wait_while(guard, |value| *value == 0).is_ok()
                });
            });
            0
        })
        .expect("a child");
        let receiver =
            ipc::fork_with(here, |here| i32::from(here.recv().is_ok())).expect("a child");
        let pause = || {
            let nothing = fs::File::open("/proc/self/stat").expect("it exists");
            drop(nothing);
            // A pause is the subject here: how much do the others do in it?
            let _ = ipc::wait(&[], Duration::from_secs(1));
        };
        pause();
        let before = [ran(child.pid()), ran(receiver.pid())];
        pause();
        let used = [ran(child.pid()) - before[0], ran(receiver.pid()) - before[1]];
        println!("in one second: {used:?} ns");
        // Seven of them look four times a second.
        check("memory", used[0] < 10_000_000, "seven who wait in memory: less than a hundredth");
        check("kernel", used[1] < 1_000_000, "one who waits in the kernel: nothing");
        for child in [child, receiver] {
            child.signal(SIGKILL).expect("ours");
            child.wait().expect("its status");
        }
    }
);

#[test]
fn who_waits_costs_no_measurable_time() {
    let report = Judge::scenario(&everybody_waits).declare(["memory", "kernel"]).run();
    report.assert_clean();
    println!("{}", report.stdout());
}
