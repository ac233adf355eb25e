//! Promises about the pool itself: how it begins, how its workers are replaced, how it ends.

mod common;

use std::time::{Duration, Instant};

use common::{Gate, double, exists, forever, pass, who};
use judge::{Judge, check, scenario};
use pool::{Error, Pool};

scenario!(
    fn terminates_endless_tasks() {
        let pool = Pool::new(2).expect("a pool");
        let results: Vec<_> = (0..10_000).map(|n| pool.apply_async(forever, (n,))).collect();
        let pids = pool.worker_pids();
        let start = Instant::now();
        pool.terminate();
        let took = start.elapsed();
        check("prompt", took < Duration::from_secs(2), &format!("it took {took:?}"));
        check("gone", pids.len() == 2 && !pids.into_iter().any(exists), "the workers are gone");
        let ended = results.iter().all(|it| matches!(it.get(), Err(Error::Terminated)));
        check("told", ended, "and all tasks are told so");
    }
);

#[test]
fn terminate_with_ten_thousand_endless_tasks_queued_ends_promptly() {
    let checks = ["prompt", "gone", "told"];
    Judge::scenario(&terminates_endless_tasks).declare(checks).run().assert_clean();
}

scenario!(
    fn drops_a_pool() {
        let pool = Pool::new(2).expect("a pool");
        let result = pool.apply_async(forever, (0,));
        let mut pids = pool.worker_pids();
        pids.extend(pool.zygote_pid());
        drop(pool);
        check("gone", pids.len() == 3 && !pids.into_iter().any(exists), "nobody is left");
        check("told", matches!(result.get(), Err(Error::Terminated)), "the task is told so");

        // A thread that waits meanwhile is told, too.
        let pool = Pool::new(2).expect("a pool");
        let result = pool.apply_async(forever, (0,));
        let waiter = std::thread::spawn(move || result.get());
        let closed = pool.close();
        closed.terminate();
        let told = matches!(waiter.join(), Ok(Err(Error::Terminated)));
        check("waiter", told, "a closed one can be terminated, and who waits is told");
    }
);

#[test]
fn a_dropped_pool_is_terminated() {
    Judge::scenario(&drops_a_pool).declare(["gone", "told", "waiter"]).run().assert_clean();
}

scenario!(
    fn closes_and_joins() {
        let gate = Gate::new();
        let pool = Pool::new(2).expect("a pool");
        let results: Vec<_> = (0..20).map(|number| pool.apply_async(pass, (number,))).collect();
        let closed = pool.close();
        check("unready", !results.iter().any(|result| result.ready()), "nothing is done yet");
        gate.open(20);
        closed.join();
        let all = results.iter().enumerate();
        let right = all.map(|(n, it)| it.ready() && it.get().is_ok_and(|value| value == n as u64));
        check("all", right.fold(true, |all, one| all && one), "join waited for all of them");

        // Dropped results, that nobody waits for.
        let pool = Pool::new(2).expect("a pool");
        let (tell, told) = std::sync::mpsc::channel();
        for number in 0..50 {
            let tell = tell.clone();
            pool.apply_async_with(double, (number,), move |it| _ = tell.send(it.expect("twice")));
        }
        pool.close().join();
        check("callbacks", told.try_iter().count() == 50, "and for all callbacks");
    }
);

#[test]
fn join_waits_for_all_tasks_and_callbacks() {
    let checks = ["unready", "all", "callbacks"];
    Judge::scenario(&closes_and_joins).declare(checks).run().assert_clean();
}

scenario!(
    fn asks_for_no_workers() {
        check("new", matches!(Pool::new(0), Err(Error::NoProcesses)), "of new");
        let builder = Pool::builder().processes(0);
        check("builder", matches!(builder.build(), Err(Error::NoProcesses)), "of the builder");
        let builder = Pool::builder().max_tasks_per_child(0);
        check("tasks", builder.build().is_err(), "nor workers that may do nothing");
        let by_default = Pool::builder().build().expect("a pool").worker_pids().len();
        let cpus = std::thread::available_parallelism().map_or(1, |cpus| cpus.get());
        check("default", by_default == cpus, "by default there are as many as CPUs");
    }
);

#[test]
fn a_pool_without_workers_is_refused() {
    let checks = ["new", "builder", "tasks", "default"];
    Judge::scenario(&asks_for_no_workers).declare(checks).run().assert_clean();
}

scenario!(
    fn replaces_workers() {
        let pool = Pool::builder().processes(2).max_tasks_per_child(5).build().expect("a pool");
        let results: Vec<_> = (0..50).map(|_| pool.apply_async(who, ())).collect();
        let mut runs = std::collections::BTreeMap::new();
        for result in &results {
            *runs.entry(result.get().expect("a pid")).or_insert(0) += 1;
        }
        println!("{runs:?}");
        check("most", runs.values().all(|&count| count <= 5), "none had more");
        check("many", runs.len() >= 10, "so there were ten or more");
        // After close, too: nobody submits, and the tasks need several generations.
        let results: Vec<_> = (0..50).map(|number| pool.apply_async(double, (number,))).collect();
        pool.close().join();
        let all = results.iter().all(|result| result.successful() == Some(true));
        check("closed", all, "everything still finishes after close");
        // A chunk is one task.
        let pool = Pool::builder().processes(1).max_tasks_per_child(1).build().expect("a pool");
        let mapped = pool.chunk_size(10).starmap(who, vec![(); 30]).expect("pids");
        let distinct: std::collections::BTreeSet<_> = mapped.iter().collect();
        check("chunks", distinct.len() == 3, "one worker a chunk");
        pool.close().join();
    }
);

#[test]
fn workers_are_replaced_after_max_tasks_per_child_and_everything_still_finishes() {
    let checks = ["most", "many", "closed", "chunks"];
    Judge::scenario(&replaces_workers).declare(checks).run().assert_clean();
}

static READY: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

fn prepare(what: u64) {
    READY.fetch_add(what, std::sync::atomic::Ordering::SeqCst);
}

fn prepared() -> (i32, u64) {
    (who(), READY.load(std::sync::atomic::Ordering::SeqCst))
}

fn refuse(how: u8) {
    match how {
        0 => panic!("not in the mood"),
        #[expect(clippy::disallowed_methods, reason = "it is what the test is about")]
        1 => std::process::exit(4),
        _ => std::process::abort(),
    }
}

scenario!(
    fn initializes() {
        let builder = Pool::builder().processes(3).initializer(prepare, (7,));
        let pool = builder.max_tasks_per_child(10).build().expect("a pool");
        let all = pool.chunk_size(1).starmap(prepared, vec![(); 100]).expect("numbers");
        let workers: std::collections::BTreeSet<_> = all.iter().map(|(pid, _)| pid).collect();
        check("once", all.iter().all(|(_, number)| *number == 7), "once in each");
        check("each", workers.len() >= 10, "in those that came later, too");
        pool.close().join();
        for how in [0, 1, 2] {
            let pool = Pool::builder().processes(2).initializer(refuse, (how,)).build();
            let pool = pool.expect("the processes are there");
            let errors = [pool.apply(double, (1,)).err(), pool.map(double, [1, 2]).err()];
            let later = pool.apply_async(double, (2,)).get().err();
            for error in errors.iter().chain([&later]).flatten() {
                println!("{how}: {error}");
            }
            let told = |error: &Option<Error>| match error {
                Some(Error::Initializer { message, place }) => match how {
                    0 => message == "not in the mood" && place.contains("tests/life.rs:"),
                    1 => message == "exit code 4",
                    _ => message.contains("SIGABRT"),
                },
                _ => false,
            };
            let all = errors.iter().chain([&later]).all(told);
            check("told", all, "one that fails is reported by every task");
            while !pool.worker_pids().is_empty() {
                std::thread::yield_now(); // the other one is being ended
            }
            check("none", pool.apply(double, (1,)).is_err(), "and no worker is started any more");
            pool.close().join();
        }
    }
);

#[test]
fn the_initializer_runs_once_in_each_worker_and_its_failure_is_reported_without_endless_respawn() {
    let report = Judge::scenario(&initializes).declare(["once", "each", "told", "none"]).run();
    report.assert_clean();
    let most = 3 + 12 + 2 * 2 + 30 + 10;
    let seen = report.processes().len();
    assert!(seen < most, "{seen} processes were seen\n{report}");
}

scenario!(
    fn has_room_for_two() {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        use nix::unistd::{Uid, User, getuid, setuid};
        if getuid().is_root() {
            // The limit does not hold for root, and counts all of a user's processes: one who has
            // none, with a number that nobody has.
            let free =
                (60_000..).map(Uid::from_raw).find(|uid| matches!(User::from_uid(*uid), Ok(None)));
            setuid(free.expect("a free number")).expect("root may");
        }
        let before = getrlimit(Resource::RLIMIT_NPROC).expect("a limit");
        // This process, the zygote, the helper thread, and two workers.
        setrlimit(Resource::RLIMIT_NPROC, 5, before.1).expect("lower");
        let refused = Pool::new(4);
        let text = refused.as_ref().err().map(ToString::to_string).unwrap_or_default();
        println!("{text}");
        if getuid().as_raw() < 60_000 {
            println!("skipped: this user has other processes, too");
            return;
        }
        check("refused", matches!(refused, Err(Error::Start { .. })), &text);
        drop(refused);
        let none = nix::sys::wait::waitpid(None, None);
        check("none", none == Err(nix::Error::ECHILD), "no child is left");
        let fewer = Pool::new(2).expect("two have room");
        check("room", fewer.apply(double, (4,)).is_ok_and(|it| it == 8), "the others are gone");
        fewer.close().join();
    }
);

#[test]
fn if_the_third_of_four_forks_fails_the_first_two_are_reaped() {
    let report = Judge::scenario(&has_room_for_two).run();
    report.assert_clean();
    if !report.stdout().contains("skipped") {
        let names: Vec<&str> = report.checks().iter().map(|check| &*check.name).collect();
        assert_eq!(names, ["refused", "none", "room"]);
    }
}

scenario!(
    fn has_few_descriptors() {
        use nix::sys::resource::{Resource, setrlimit};
        setrlimit(Resource::RLIMIT_NOFILE, 24, 24).expect("lower");
        let refused = Pool::new(8);
        check("refused", matches!(refused, Err(Error::Start { .. })), "there is no room for eight");
        drop(refused);
        let pool = Pool::new(1).expect("one has room");
        check("room", pool.apply(double, (4,)).is_ok_and(|it| it == 8), "it works");
        pool.close().join();
    }
);

#[test]
fn a_pool_that_finds_no_descriptors_leaves_none_open() {
    Judge::scenario(&has_few_descriptors).declare(["refused", "room"]).run().assert_clean();
}

scenario!(
    fn forks_with_a_pool() {
        let pool = Pool::new(1).expect("a pool");
        let child = fork::fork(|| {
            let refused = matches!(pool.apply(double, (1,)), Err(Error::NotOurs));
            let later = matches!(pool.apply_async(double, (1,)).get(), Err(Error::NotOurs));
            let mapped = matches!(pool.map(double, [1]), Err(Error::NotOurs));
            i32::from(!(refused && later && mapped && pool.worker_pids().is_empty()))
        });
        let status = child.expect("a child").wait().expect("its status");
        check("child", status.success(), "a child's copy is refused, and does not hang");
        check("parent", pool.apply(double, (4,)).is_ok_and(|it| it == 8), "the parent's works");
        pool.close().join();
    }
);

#[test]
fn a_forked_childs_copy_of_a_pool_is_an_error_and_no_hang() {
    Judge::scenario(&forks_with_a_pool).declare(["child", "parent"]).run().assert_clean();
}

scenario!(
    fn looks_at_itself() {
        let pool = Pool::new(3).expect("a pool");
        let descriptors =
            pool.chunk_size(1).starmap(open_descriptors, vec![(); 30]).expect("counts");
        let (least, most) = (descriptors.iter().min(), descriptors.iter().max());
        check("same", least == most, &format!("as many in each: {descriptors:?}"));
        pool.close().join();
        let more = Pool::new(12).expect("a pool");
        let others = more.chunk_size(1).starmap(open_descriptors, vec![(); 60]).expect("counts");
        check("siblings", others.iter().max() <= most, &format!("not more with more: {others:?}"));
        more.close().join();
    }
);

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[test]
fn a_worker_has_no_descriptors_of_its_siblings() {
    Judge::scenario(&looks_at_itself).declare(["same", "siblings"]).run().assert_clean();
}
