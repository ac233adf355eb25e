//! Promises of `ThreadPool`: how it ends, and what it costs while nobody asks for anything.
#![deny(unsafe_code)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use judge::{Judge, Limit, check, scenario};
use threads::{PoolError, ThreadPool, active_count, current_thread, enumerate};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(15);

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::new(threads).expect("a pool")
}

fn square(number: u64) -> u64 {
    number * number
}

#[test]
fn terminate_drops_ten_thousand_tasks_at_once_and_tells_who_waits() {
    let pool = pool(2);
    let (begun, go) = (Arc::new(Barrier::new(3)), channel::<()>());
    let wait = Arc::new(std::sync::Mutex::new(go.1));
    let running: Vec<_> = (0..2)
        .map(|_| {
            let (begun, wait) = (Arc::clone(&begun), Arc::clone(&wait));
            pool.apply_async(move || {
                begun.wait();
                let _ = wait.lock().expect("no panic").recv();
            })
        })
        .collect();
    begun.wait();
    let done = Arc::new(AtomicUsize::new(0));
    let count = || {
        let done = Arc::clone(&done);
        move || {
            done.fetch_add(1, SeqCst);
        }
    };
    let queued: Vec<_> = (0..10_000).map(|_| pool.apply_async(count())).collect();
    let map = pool.map_async(|_| (), 0..10_000);
    let start = Instant::now();
    let closed = pool.terminate();
    assert!(queued.into_iter().all(|it| matches!(it.get(), Err(PoolError::Terminated))));
    assert!(matches!(map.get(), Err(PoolError::Terminated)));
    assert!(start.elapsed() < LONG);
    drop(go.0);
    // What runs is not cut off.
    assert!(running.into_iter().all(|it| it.get().is_ok()));
    closed.join();
    assert_eq!(done.load(SeqCst), 0);
}

#[test]
fn terminate_ends_a_map_between_two_tasks() {
    let pool = pool(1);
    let (begun, first) = channel();
    let (go, wait) = channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let done = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&done);
    let map = pool.map_async(
        move |_| {
            let _ = begun.send(());
            let _ = wait.lock().expect("no panic").recv();
            count.fetch_add(1, SeqCst)
        },
        0..1000,
    );
    first.recv().expect("the first task has begun");
    let closed = pool.terminate();
    drop(go);
    assert!(matches!(map.get(), Err(PoolError::Terminated)));
    closed.join();
    assert_eq!(done.load(SeqCst), 1);
}

scenario!(
    fn close_and_join() {
        let pool = pool(3);
        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..1000 {
            let done = Arc::clone(&done);
            // Its value is nobody's, but it is done.
            drop(pool.apply_async(move || done.fetch_add(1, SeqCst)));
        }
        let many = pool.map_async(square, 0..100_000);
        let names: BTreeSet<_> = enumerate().iter().map(|it| it.name().to_owned()).collect();
        let expected = ["MainThread", "pool-1-1", "pool-1-2", "pool-1-3"].map(str::to_owned);
        check("names", names == BTreeSet::from(expected), "its threads have names");
        pool.close().join();
        check("done", done.load(SeqCst) == 1000, "all that was submitted is done");
        check("map", many.ready() && many.get().is_ok_and(|it| it.len() == 100_000), "a map, too");
        let tasks = std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
        check("gone", active_count() == 1 && tasks == 1, "and the threads are gone");
    }
);

#[test]
fn close_lets_all_tasks_finish_and_join_waits_for_the_threads() {
    Judge::scenario(&close_and_join).declare(["names", "done", "map", "gone"]).run().assert_clean();
}

scenario!(
    fn a_pool_drops_itself() {
        let pool = Arc::new(pool(2));
        let (go, wait) = channel::<()>();
        let its = Arc::clone(&pool);
        let result = pool.apply_async(move || {
            let _ = wait.recv();
            // This is the last owner: the pool ends in one of its own threads.
            drop(its);
            7
        });
        drop(pool);
        drop(go);
        check("value", result.get().is_ok_and(|it| it == 7), "the task comes to its end");
        until_alone("gone");
    }
);

/// Checks that all other threads end.
fn until_alone(name: &str) {
    let start = Instant::now();
    while active_count() > 1 && start.elapsed() < LONG {
        thread::yield_now();
    }
    check(name, active_count() == 1, "no thread is left");
}

#[test]
fn a_pool_that_its_own_task_drops_ends_too() {
    Judge::scenario(&a_pool_drops_itself).declare(["value", "gone"]).run().assert_clean();
}

scenario!(
    fn too_many_threads() {
        let refused = ThreadPool::new(4000);
        let told = matches!(&refused, Err(PoolError::Start { source }) if source.to_string().contains("RLIMIT_NPROC"));
        check("told", told, "the error names limits");
        until_alone("gone");
        let works = pool(2).map(square, 0..10).is_ok();
        check("works", works, "a smaller pool works");
    }
);

#[test]
fn if_a_thread_is_refused_those_that_began_end() {
    let judge = Judge::scenario(&too_many_threads).limit(Limit::AddressSpace(400 << 20));
    judge.declare(["told", "gone", "works"]).run().assert_clean();
}

scenario!(
    fn idle() {
        let pool = pool(4);
        let ids = pool.map(|_| current_thread().name().to_owned(), 0..10_000);
        check("busy", ids.is_ok(), "after it has worked");
        let ticks = || {
            let stat = std::fs::read_to_string("/proc/self/stat").expect("this is Linux");
            let fields = stat.rsplit_once(')').expect("a name").1.split_whitespace();
            fields.skip(11).take(2).map(|it| it.parse::<u64>().expect("ticks")).sum::<u64>()
        };
        let switches = || {
            let mut all = 0;
            for task in std::fs::read_dir("/proc/self/task").expect("this is Linux").flatten() {
                let status = std::fs::read_to_string(task.path().join("status")).expect("it lives");
                let lines = status.lines().filter(|line| line.contains("ctxt_switches"));
                all += lines
                    .filter_map(|it| it.split_whitespace().last()?.parse::<u64>().ok())
                    .sum::<u64>();
            }
            all
        };
        // Until all have gone to sleep; then nothing may happen for a while.
        let pause = || thread::park_timeout(Duration::from_millis(150));
        pause();
        let before = (ticks(), switches());
        pause();
        let after = (ticks(), switches());
        println!("{before:?} {after:?}");
        check("ticks", after.0 - before.0 <= 1, "it uses no processor time");
        check("sleep", after.1 - before.1 <= 6, "and its threads sleep all the time");
        check("wakes", pool.apply(|| 7).is_ok(), "and wake");
    }
);

#[test]
fn an_idle_pool_uses_no_processor_time() {
    Judge::scenario(&idle).declare(["busy", "ticks", "sleep", "wakes"]).run().assert_clean();
}
