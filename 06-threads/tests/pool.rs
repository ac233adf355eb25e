//! Promises of `ThreadPool`.
#![deny(unsafe_code)]

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use threads::{PoolError, ThreadPool};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(15);

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::new(threads).expect("a pool")
}

fn square(number: u64) -> u64 {
    number * number
}

#[test]
fn map_keeps_order_at_any_chunk_size() {
    for threads in [1, 2, 5] {
        let pool = pool(threads);
        for count in [1, 2, 3, 100, 1001] {
            let expected: Vec<u64> = (0..count).map(square).collect();
            assert_eq!(pool.map(square, 0..count).expect("squares"), expected);
            for size in [1, 2, 3, 7, 1000, 2000, usize::MAX] {
                let chunks = pool.chunk_size(size);
                assert_eq!(chunks.map(square, 0..count).expect("squares"), expected, "{size}");
            }
            for size in [1, 7, 2000] {
                let chunks = pool.chunk_size(size);
                let each: Result<Vec<u64>, _> = chunks.imap(square, 0..count).collect();
                assert_eq!(each.expect("squares"), expected, "imap in chunks of {size}");
            }
        }
    }
}

#[test]
fn empty_input_is_an_empty_result_in_all_methods() {
    let pool = pool(2);
    assert_eq!(pool.map(square, []).expect("nothing"), []);
    assert_eq!(pool.map_async(square, []).get().expect("nothing"), []);
    assert!(pool.imap(square, []).next().is_none());
    assert!(pool.imap_unordered(square, []).next().is_none());
}

#[test]
fn no_threads_and_empty_chunks_are_refused() {
    assert!(matches!(ThreadPool::new(0), Err(PoolError::NoThreads)));
    let pool = pool(1);
    let chunks = pool.chunk_size(0);
    assert!(matches!(chunks.map(square, [1]), Err(PoolError::EmptyChunks)));
    assert!(matches!(chunks.map_async(square, [1]).get(), Err(PoolError::EmptyChunks)));
    let mut each = chunks.imap(square, [1]);
    assert!(matches!(each.next(), Some(Err(PoolError::EmptyChunks))) && each.next().is_none());
}

#[test]
fn get_with_a_timeout_returns_on_time_and_a_later_one_gets_the_value() {
    let pool = pool(1);
    let (go, wait) = channel::<()>();
    let mut result = pool.apply_async(move || wait.recv().is_err());
    let start = Instant::now();
    assert!(!result.ready() && result.successful().is_none());
    assert_eq!(result.get_timeout(Duration::from_millis(20)).expect("it runs"), None);
    assert!(!result.wait_timeout(Duration::from_millis(20)));
    assert!(start.elapsed() >= Duration::from_millis(40) && start.elapsed() < LONG);
    drop(go);
    result.wait();
    assert!(result.ready() && result.wait_timeout(Duration::ZERO));
    assert_eq!(result.successful(), Some(true));
    assert_eq!(result.get_timeout(2 * LONG).expect("it is done"), Some(true));
    assert!(start.elapsed() < LONG);
    assert!(matches!(result.get(), Err(PoolError::GivenOut)));
}

#[test]
fn a_task_that_panics_harms_only_itself_and_its_message_and_place_are_told() {
    let pool = pool(1);
    let (before, fails) =
        (pool.apply_async(|| 1), pool.apply_async(|| -> u8 { panic!("no {}", 7) }));
    let after = pool.apply_async(|| 3);
    fails.wait();
    assert_eq!(fails.successful(), Some(false));
    match fails.get() {
        Err(PoolError::Panicked { message, place }) => {
            assert_eq!(message, "no 7");
            assert!(place.starts_with(file!()), "{place}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((before.get().expect("1"), after.get().expect("3")), (1, 3));
    for _ in 0..100 {
        assert!(pool.apply(|| panic!("again")).is_err());
    }
    assert_eq!(pool.apply(|| 4).expect("its thread is still there"), 4);
}

#[test]
fn a_map_whose_tasks_fail_does_all_of_them_then_reports_the_first_error() {
    let pool = pool(3);
    let done = Arc::new(AtomicUsize::new(0));
    for size in [1, 10] {
        done.store(0, SeqCst);
        let counted = Arc::clone(&done);
        let task = move |number| {
            counted.fetch_add(1, SeqCst);
            assert!(number % 100 != 50, "number {number}");
        };
        match pool.chunk_size(size).map(task, 0..1000) {
            Err(PoolError::Panicked { message, .. }) => assert_eq!(message, "number 50"),
            other => panic!("{other:?}"),
        }
        assert_eq!(done.load(SeqCst), 1000);
    }
}

#[test]
fn imap_takes_its_input_as_it_is_asked_for_and_a_bounded_number_ahead() {
    let pool = pool(2);
    let pulled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&pulled);
    // Without an end.
    let endless = (0..).inspect(move |_| {
        count.fetch_add(1, SeqCst);
    });
    let mut squares = pool.imap(square, endless);
    assert_eq!(pulled.load(SeqCst), 0, "nobody has asked");
    for number in 0..1000 {
        assert_eq!(squares.next().expect("endless").expect("a square"), square(number));
        let ahead = pulled.load(SeqCst) - usize::try_from(number).expect("small");
        assert!(ahead <= 33, "{ahead} at {number}");
    }
}

#[test]
fn imap_unordered_gives_each_value_once_and_the_quick_ones_first() {
    let pool = pool(2);
    let values: Result<Vec<u64>, _> = pool.imap_unordered(square, 0..1000).collect();
    let mut values = values.expect("squares");
    values.sort_unstable();
    assert!(values.into_iter().eq((0..1000).map(square)));

    let (go, wait) = channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let task = move |number| {
        if number == 0 {
            let _ = wait.lock().expect("no panic").recv();
        }
        number
    };
    let mut numbers = pool.imap_unordered(task, 0..3);
    let quick: BTreeSet<_> = numbers.by_ref().take(2).map(|it| it.expect("a number")).collect();
    assert_eq!(quick, BTreeSet::from([1, 2]));
    drop(go);
    assert_eq!(numbers.next().expect("the slow one").expect("a number"), 0);
    assert!(numbers.next().is_none());
}

#[test]
fn imap_tells_each_failure_in_its_place_and_goes_on() {
    let pool = pool(2);
    for size in [1, 4] {
        let task = |number| {
            assert!(number != 5, "five");
            number
        };
        let seen: Vec<_> = pool.chunk_size(size).imap(task, 0..10).map(Result::ok).collect();
        let expected = (0..10).map(|number| (number != 5).then_some(number));
        assert!(seen.into_iter().eq(expected));
    }
}

#[test]
fn an_input_that_panics_gives_the_earlier_results_first_and_the_pool_goes_on() {
    let pool = pool(2);
    for size in [1, 3] {
        let input = (0..).inspect(|&number| assert!(number != 7, "seven"));
        let mut squares = pool.chunk_size(size).imap(square, input);
        for number in 0..7 {
            assert_eq!(squares.next().expect("before it").expect("a square"), square(number));
        }
        let panic = catch_unwind(AssertUnwindSafe(|| squares.next())).expect_err("it goes on");
        assert_eq!(*panic.downcast::<&str>().expect("a text"), "seven");
        assert!(squares.next().is_none());
    }
    assert_eq!(pool.apply(|| 7).expect("the pool is as it was"), 7);
}

#[test]
fn a_task_may_wait_for_tasks_of_its_own_pool_even_when_all_threads_do() {
    fn fibonacci(pool: &Arc<ThreadPool>, number: u64) -> u64 {
        if number < 2 {
            return number;
        }
        let its = Arc::clone(pool);
        let one = pool.apply_async(move || fibonacci(&its, number - 1));
        fibonacci(pool, number - 2) + one.get().expect("a number")
    }
    for threads in [1, 2, 3] {
        let pool = Arc::new(pool(threads));
        let its = Arc::clone(&pool);
        assert_eq!(pool.apply(move || fibonacci(&its, 15)).expect("a number"), 610);
        let its = Arc::clone(&pool);
        let sums = pool.map(
            move |number| {
                let inner = its.map(square, 0..number).expect("squares").into_iter().sum::<u64>();
                its.imap_unordered(|it| it, 0..number).map(Result::unwrap).sum::<u64>() + inner
            },
            0..50,
        );
        let expected = (0..50).map(|it| (0..it).map(square).sum::<u64>() + (0..it).sum::<u64>());
        assert!(sums.expect("sums").into_iter().eq(expected));
    }
}

#[test]
fn arguments_and_values_are_freed_when_the_task_is_done() {
    let pool = pool(2);
    let kept = Arc::new(());
    let its = Arc::clone(&kept);
    drop(pool.apply(move || its).expect("the argument comes back"));
    assert_eq!(Arc::strong_count(&kept), 1);
    let many = vec![kept.clone(); 100];
    drop(pool.map(|it| it, many).expect("all come back"));
    let failed = pool.map(|it: Arc<()>| -> () { panic!("with {it:?}") }, vec![kept.clone(); 10]);
    assert!(failed.is_err());
    let unwanted = pool.apply_async({
        let its = kept.clone();
        move || its
    });
    unwanted.wait();
    drop(unwanted);
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
fn a_value_that_panics_when_it_is_dropped_harms_nobody() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !thread::panicking() {
                panic!("in a destructor");
            }
        }
    }
    let pool = pool(1);
    let ((begun, begin), (go, wait)) = (channel(), channel::<()>());
    let running = pool.apply_async(move || {
        let _ = begun.send(());
        let _ = wait.recv();
    });
    begin.recv().expect("it has begun");
    // While the only thread is busy: a value that nobody wants, and one in the task itself.
    drop(pool.apply_async(|| Bomb));
    let held = Bomb;
    let fails = pool.apply_async(move || drop(held));
    drop(go);
    assert!(running.get().is_ok());
    assert!(matches!(fails.get(), Err(PoolError::Panicked { .. })));

    let ((begun, begin), (go, wait)) = (channel(), channel::<()>());
    let running = pool.apply_async(move || {
        let _ = begun.send(());
        let _ = wait.recv();
    });
    begin.recv().expect("it has begun");
    let held = Bomb;
    let waits = pool.apply_async(move || drop(held));
    let closed = pool.terminate();
    assert!(matches!(waits.get(), Err(PoolError::Terminated)));
    drop(go);
    assert!(running.get().is_ok());
    closed.join();
}

#[test]
fn no_task_waits_behind_another_while_a_thread_is_idle() {
    let pool = pool(4);
    let distinct = |ids: Vec<thread::ThreadId>| {
        ids.into_iter().map(|id| format!("{id:?}")).collect::<BTreeSet<_>>().len()
    };
    for round in 0..50 {
        // As many tasks as threads, which wait for one another: each needs a thread of its own.
        let count = 2 + round % 3;
        let here = Arc::new(Barrier::new(count));
        let task = move |_| {
            here.wait();
            thread::current().id()
        };
        assert_eq!(distinct(pool.map(task.clone(), 0..count).expect("threads")), count);
        let ids = pool.imap(task.clone(), 0..count).collect::<Result<_, _>>().expect("threads");
        assert_eq!(distinct(ids), count);
        let each = (0..count).map(|it| {
            let task = task.clone();
            pool.apply_async(move || task(it))
        });
        let each: Vec<_> = each.collect();
        let ids = each.into_iter().map(|it| it.get().expect("threads")).collect();
        assert_eq!(distinct(ids), count);
    }
}
