//! Promises of `Thread`.
#![deny(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;
use std::panic::panic_any;
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use judge::{Judge, check, scenario};
use threads::{Error, Thread, active_count, current_thread, enumerate, main_thread};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(15);

/// The name of a thread of this process, as the kernel has it.
fn comm(id: i32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/self/task/{id}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

fn tasks() -> BTreeSet<i32> {
    let tasks = fs::read_dir("/proc/self/task").expect("this is Linux");
    tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok()).collect()
}

scenario!(
    fn four_threads_with_names() {
        let names = || enumerate().iter().map(|it| it.name().to_owned()).collect::<Vec<_>>();
        check("alone", names() == ["MainThread"] && active_count() == 1, "at first there is one");
        check("main", current_thread().ident() == main_thread().ident(), "which is the main one");

        let (here, go) = (Arc::new(Barrier::new(5)), Arc::new(Barrier::new(5)));
        let wait = || {
            let (here, go) = (here.clone(), go.clone());
            move || {
                here.wait();
                go.wait();
                let me = current_thread();
                (me.name().to_owned(), me.native_id(), me.ident(), me.daemon())
            }
        };
        let mut threads = [
            Thread::new(wait()),
            Thread::new(wait()).name("anna"),
            Thread::new(wait()).name("0123456789abcdefgh"),
            Thread::new(wait()).daemon(true),
        ];
        check("before", names() == ["MainThread"], "what is not started is not listed");
        check("dead", threads.iter().all(|it| !it.is_alive()), "and not alive");
        threads.iter_mut().for_each(|thread| thread.start().expect("a thread"));
        here.wait();
        let expected = ["MainThread", "Thread-1", "anna", "0123456789abcdefgh", "Thread-2"];
        check("listed", names() == expected && active_count() == 5, "all are listed, in order");
        check("alive", threads.iter().all(|it| it.is_alive()), "and alive");

        let ids: Vec<i32> = threads.iter().map(|it| it.native_id().expect("started")).collect();
        let kernel: Vec<_> = ids.iter().map(|&id| comm(id).expect("it lives")).collect();
        let cut = ["Thread-1", "anna", "0123456789abcde", "Thread-2"];
        check("comm", kernel == cut, "the kernel has their names, to 15 bytes");
        let mut all: BTreeSet<i32> = ids.iter().copied().collect();
        all.insert(std::process::id().cast_signed());
        check("ids", all == tasks(), "and the same numbers, and no other thread");

        go.wait();
        let same = threads.iter_mut().zip(&ids).all(|(thread, &id)| {
            let name = thread.get_name().to_owned();
            let expected = (name, id, thread.ident(), thread.active().expect("started").daemon());
            thread.join().is_ok_and(|seen| seen == expected)
        });
        check("same", same, "each sees of itself what its owner sees of it");
        check("gone", names() == ["MainThread"], "after the join they are listed no more");
        check("over", threads.iter().all(|it| !it.is_alive()), "and not alive");
    }
);

#[test]
fn names_numbers_and_lists_agree_with_the_kernels() {
    let checks = [
        "alone", "main", "before", "dead", "listed", "alive", "comm", "ids", "same", "gone", "over",
    ];
    Judge::scenario(&four_threads_with_names).declare(checks).run().assert_clean();
}

scenario!(
    fn a_thread_of_std_asks_who_it_is() {
        let names = || enumerate().iter().map(|it| it.name().to_owned()).collect::<Vec<_>>();
        let (named, nameless) = (std::thread::Builder::new().name("sven".to_owned()), channel());
        let sven = named.spawn(|| current_thread().name().to_owned()).expect("a thread").join();
        check("named", sven.is_ok_and(|name| name == "sven"), "it has std's name");
        let (go, wait) = channel::<()>();
        let dummy = std::thread::spawn(move || {
            let before = enumerate().len();
            let me = current_thread();
            let _ = nameless.0.send((before, me.clone()));
            let _ = wait.recv();
            current_thread().ident() == me.ident()
        });
        let (before, it) = nameless.1.recv().expect("it asks");
        check("unknown", before == 1, "before it has asked it is not listed");
        check(
            "dummy",
            names() == ["MainThread", "Dummy-1"] && it.daemon(),
            "then it is, by a name",
        );
        check("id", comm(it.native_id()).is_some(), "with the kernel's number");
        drop(go);
        check("itself", dummy.join().is_ok_and(|same| same), "and stays who it is");
        check("gone", names() == ["MainThread"] && !it.is_alive(), "it leaves the list by itself");
    }
);

#[test]
fn threads_that_others_started_are_known_from_when_they_ask_until_they_end() {
    let checks = ["named", "unknown", "dummy", "id", "itself", "gone"];
    Judge::scenario(&a_thread_of_std_asks_who_it_is).declare(checks).run().assert_clean();
}

/// The size of the mapping that holds this thread's stack.
fn stack() -> usize {
    let local = 0_u8;
    let address = (&raw const local).addr();
    let maps = fs::read_to_string("/proc/self/maps").expect("this is Linux");
    let mut ranges = maps.lines().filter_map(|line| {
        let (from, to) = line.split_once(' ')?.0.split_once('-')?;
        let number = |hex| usize::from_str_radix(hex, 16).ok();
        Some(number(from)?..number(to)?)
    });
    ranges.find(|range| range.contains(&address)).map_or(0, |range| range.len())
}

scenario!(
    fn threads_with_stacks() {
        let sized = |bytes| {
            let mut thread = Thread::new(stack).stack_size(bytes);
            thread.start().and_then(|()| thread.join()).expect("a thread")
        };
        let (small, large) = (sized(256 << 10), sized(64 << 20));
        println!("{small} {large}");
        check("small", (256 << 10..1 << 20).contains(&small), "a small one is small");
        check("large", (64 << 20..66 << 20).contains(&large), "a large one is large");
        let deep = sized_sum(1 << 20);
        check("deep", deep == Ok(1 << 20), "and deep recursion has room in it");
    }
);

fn sized_sum(depth: u64) -> Result<u64, String> {
    fn sum(depth: u64) -> u64 {
        if depth == 0 { 0 } else { std::hint::black_box(sum(depth - 1)) + 1 }
    }
    let mut thread = Thread::new(move || sum(depth)).stack_size(512 << 20);
    thread.start().and_then(|()| thread.join()).map_err(|error| error.to_string())
}

#[test]
fn a_stack_has_the_size_that_was_asked_for() {
    let checks = ["small", "large", "deep"];
    Judge::scenario(&threads_with_stacks).declare(checks).run().assert_clean();
}

scenario!(
    fn one_of_three_panics() {
        let (go, wait) = channel::<()>();
        let wait = Mutex::new(wait);
        let mut threads = [
            Thread::new(|| 1).name("anna"),
            Thread::new(|| panic!("out of {}", "eggs")).name("bert"),
            Thread::new(move || wait.lock().map_or(0, |wait| i32::from(wait.recv().is_err()) + 2)),
        ];
        threads.iter_mut().for_each(|thread| thread.start().expect("a thread"));
        let [anna, bert, carl] = &mut threads;
        let error = bert.join();
        let told = match &error {
            Err(Error::Panicked { name, message, place }) => {
                let here = place.split(':').next() == Some(file!());
                name == "bert" && message == "out of eggs" && here && place.split(':').count() == 3
            }
            _ => false,
        };
        check("told", told, "join has the name, the message and the place");
        check(
            "said",
            error.is_err_and(|it| it.to_string().starts_with("thread bert panicked at ")),
            "in words",
        );
        check("alive", carl.is_alive(), "another thread lives on");
        drop(go);
        check(
            "values",
            anna.join().ok() == Some(1) && carl.join().ok() == Some(3),
            "and gives its value",
        );
        let mut other = Thread::new(|| -> () { panic_any(7) });
        other.start().expect("a thread");
        let odd = matches!(other.join(), Err(Error::Panicked { message, .. }) if message.contains("no text"));
        check("odd", odd, "a panic without a text is told as one");
    }
);

#[test]
fn a_panic_reaches_join_with_its_message_and_place_and_no_other_thread() {
    let checks = ["told", "said", "alive", "values", "odd"];
    let report = Judge::scenario(&one_of_three_panics).declare(checks).run();
    report.assert_clean();
    assert!(report.stderr().contains("out of eggs"), "it is on stderr, too: {}", report.stderr());
}

#[test]
fn a_join_with_a_timeout_returns_on_time_and_a_later_one_gets_the_value() {
    let (go, wait) = channel::<()>();
    let mut thread = Thread::new(move || wait.recv().is_err());
    thread.start().expect("a thread");
    let start = Instant::now();
    assert_eq!(thread.join_timeout(Duration::ZERO).expect("it runs"), None);
    assert_eq!(thread.join_timeout(Duration::from_millis(30)).expect("it runs"), None);
    assert!(start.elapsed() >= Duration::from_millis(30), "{:?}", start.elapsed());
    assert!(start.elapsed() < LONG);
    assert!(thread.is_alive());
    drop(go);
    // Woken by the end: a poll with the whole timeout would not be back before.
    assert_eq!(thread.join_timeout(2 * LONG).expect("it ended"), Some(true));
    assert!(start.elapsed() < LONG && !thread.is_alive());
    assert!(matches!(thread.join(), Err(Error::AlreadyJoined { .. })));

    let mut longest = Thread::new(|| 7);
    longest.start().expect("a thread");
    assert_eq!(longest.join_timeout(Duration::MAX).expect("it ends"), Some(7));
}

#[test]
fn a_join_with_a_timeout_that_waits_before_the_thread_begins_is_woken_too() {
    for _ in 0..200 {
        let mut thread = Thread::new(|| 7);
        thread.start().expect("a thread");
        assert_eq!(thread.join_timeout(LONG).expect("it ends"), Some(7));
    }
}

#[test]
fn what_comes_too_early_or_twice_is_an_error_with_the_threads_name() {
    let mut thread = Thread::new(|| 7).name("anna");
    let early = thread.join().expect_err("it was not started");
    assert_eq!(early.to_string(), "thread anna was not started: call start() first");
    assert!(matches!(thread.join_timeout(LONG), Err(Error::NotStarted { .. })));
    assert!(thread.native_id().is_none() && thread.ident().is_none());
    thread.start().expect("a thread");
    let twice = thread.start().expect_err("it was started");
    assert!(twice.to_string().starts_with("thread anna was started before"), "{twice}");
    assert_eq!(thread.join().expect("it was started once"), 7);
    let again = thread.join().expect_err("a value can be had once");
    assert_eq!(again.to_string(), "the value of thread anna was given out before");
}

#[test]
fn a_name_that_the_system_can_not_have_is_an_error_and_no_panic() {
    let mut thread = Thread::new(|| 7).name("an\0na");
    assert!(matches!(thread.start(), Err(Error::Name { .. })));
    let mut thread = thread.name("anna");
    thread.start().expect("nothing was lost");
    assert_eq!(thread.join().expect("it runs"), 7);
}

#[test]
fn a_start_that_the_system_refuses_names_limits_and_loses_nothing() {
    let kept = Arc::new(7);
    let its = Arc::clone(&kept);
    let mut thread = Thread::new(move || *its).name("anna").stack_size(1 << 50);
    let refused = thread.start().expect_err("no machine has that much");
    assert!(matches!(&refused, Error::Refused { name, .. } if name == "anna"), "{refused}");
    assert!(refused.to_string().contains("RLIMIT_NPROC"), "{refused}");
    assert!(enumerate().iter().all(|it| it.name() != "anna"), "it is not listed");
    let mut thread = thread.stack_size(1 << 20);
    thread.start().expect("its function is still there");
    assert_eq!(thread.join().expect("it runs"), 7);
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
fn a_thread_that_waits_for_itself_is_told_so() {
    let (send, receive) = sync_channel::<Thread<bool>>(1);
    let mut thread = Thread::new(move || {
        let mut me = receive.recv().expect("it is sent");
        let refused = matches!(me.join(), Err(Error::Itself { .. }));
        let late = matches!(me.join_timeout(LONG), Err(Error::Itself { .. }));
        assert!(refused && late);
        // And dropped here: that does not wait either.
        true
    });
    thread.start().expect("a thread");
    let look = thread.active().expect("started");
    send.send(thread).expect("it waits for itself");
    let start = Instant::now();
    while look.is_alive() {
        assert!(start.elapsed() < LONG, "it waits for itself");
        std::thread::yield_now();
    }
}

#[test]
fn whoever_drops_a_thread_waits_for_it_unless_it_is_a_daemon() {
    let (go, wait) = channel::<()>();
    let mut daemon = Thread::new(move || wait.recv().is_err()).daemon(true);
    daemon.start().expect("a thread");
    let look = daemon.active().expect("started");
    drop(daemon);
    assert!(look.is_alive(), "nobody waits for a daemon");

    let done = Arc::new(Mutex::new(0));
    let its = Arc::clone(&done);
    let (send, receive) = channel::<()>();
    let mut thread = Thread::new(move || {
        drop(send);
        for _ in 0..1000 {
            std::thread::yield_now();
        }
        *its.lock().expect("no panic") = 7;
    });
    thread.start().expect("a thread");
    assert!(receive.recv().is_err(), "it has begun");
    drop(thread);
    assert_eq!(*done.lock().expect("no panic"), 7);
    drop(go);
}

scenario!(
    fn five_hundred_threads() {
        let mut threads: Vec<_> = (0..500)
            .map(|number| {
                let mut thread = Thread::new(move || number).stack_size(64 << 10);
                thread.start().expect("a thread");
                thread
            })
            .collect();
        let values = threads.iter_mut().map(|thread| thread.join().expect("it ends"));
        check("values", values.eq(0..500), "each has its own value");
        check("none", tasks().len() == 1 && active_count() == 1, "and none is left");
    }
);

#[test]
fn many_threads_end_and_none_is_left() {
    Judge::scenario(&five_hundred_threads).declare(["values", "none"]).run().assert_clean();
}
