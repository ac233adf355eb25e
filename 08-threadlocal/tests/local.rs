//! Promises of `Local` about who sees what.

mod support;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use support::{Ledger, on_thread};
use threadlocal::Local;

#[test]
fn others_see_unset() {
    let local = Arc::new(Local::new(|| RefCell::new(None)));
    local.set(Some(5));
    let other = Arc::clone(&local);
    let seen = on_thread("other", move || {
        let before = other.peek(|value| value.is_none());
        (before, other.with_borrow(|value| *value), other.peek(|value| value.is_some()))
    });
    assert_eq!(seen, (true, None, true), "no value, then an unset one of its own");
    assert_eq!(local.with_borrow(|value| *value), Some(5));
}

#[test]
fn every_thread_makes_its_value_once_even_if_all_begin_at_the_same_time() {
    for _ in 0..50 {
        let made = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&made);
        // Its key is not known yet: all threads find that out together.
        let local = Arc::new(Local::new(move || Cell::new(counted.fetch_add(1, SeqCst))));
        let start = Arc::new(Barrier::new(4));
        let threads = [(); 4].map(|()| {
            let (local, start) = (Arc::clone(&local), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                let first = local.get();
                (0..100).for_each(|_| assert_eq!(local.get(), first));
                first
            })
        });
        let mut values = threads.map(|thread| thread.join().expect("no panic"));
        values.sort_unstable();
        assert_eq!(values, [0, 1, 2, 3]);
        assert_eq!(made.load(SeqCst), 4);
    }
}

#[test]
fn objects_are_independent_however_many_there_are() {
    let locals: Vec<_> = (0..1000).map(|n| Local::new(move || Cell::new(n))).collect();
    let check_all = || {
        for (n, local) in locals.iter().enumerate().rev() {
            assert_eq!(local.replace(n + 1), n);
        }
        assert!(locals.iter().enumerate().all(|(n, local)| local.get() == n + 1));
    };
    thread::scope(|scope| {
        scope.spawn(check_all);
        scope.spawn(check_all);
    });
    check_all();
}

#[test]
fn an_initialiser_that_asks_for_its_own_value_is_an_error_and_no_endless_recursion() {
    static LOOPS: Local<i32> = Local::new(|| LOOPS.try_with(|n| *n).map_or(-1, |n| n + 1));
    assert_eq!(LOOPS.with(|n| *n), -1);
    static PANICS: Local<i32> = Local::new(|| PANICS.with(|n| *n));
    let panic = catch_unwind(|| PANICS.with(|_| ())).expect_err("it can't be made");
    let text = panic.downcast_ref::<String>().expect("a text");
    assert!(text.contains("its initialiser asks for the value that it is to make"), "{text}");
}

#[test]
fn an_initialiser_that_panics_leaves_no_value_and_may_try_again() {
    let tries = Cell::new(0);
    let ledger = Ledger::default();
    let init = ledger.clone();
    let first = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&first);
    let local = Local::new(move || {
        let value = init.value();
        assert!(counted.fetch_add(1, SeqCst) > 0, "not today");
        value
    });
    let panic = catch_unwind(AssertUnwindSafe(|| local.with(|_| tries.set(1))));
    assert!(panic.is_err() && tries.get() == 0 && local.peek(|value| value.is_none()));
    assert_eq!(ledger.living(), 0);
    local.with(|_| tries.set(2));
    assert_eq!((tries.get(), ledger.living(), first.load(SeqCst)), (2, 1, 2));
}

#[test]
fn a_panic_in_with_leaves_the_value_as_it_is() {
    let local = Local::new(|| Cell::new(1));
    let panic = catch_unwind(AssertUnwindSafe(|| {
        local.with(|value| {
            value.set(2);
            panic!("on purpose");
        })
    }));
    assert!(panic.is_err());
    assert_eq!(local.get(), 2);
}

#[test]
fn with_can_be_nested_and_use_other_objects_and_end_them() {
    let outer = Local::new(|| RefCell::new(vec![1]));
    outer.with(|one| {
        // Enough new objects that the table has to move, while `one` is borrowed.
        let many: Vec<_> = (0..500).map(|n| Local::new(move || Cell::new(n))).collect();
        assert_eq!(many.iter().map(Local::get).sum::<i32>(), 124_750);
        drop(many);
        one.borrow_mut().push(2);
        outer.with_borrow_mut(|same| same.push(3));
        assert_eq!(*one.borrow(), [1, 2, 3]);
    });
}

#[test]
fn it_shows_what_this_thread_sees() {
    let local = Local::new(|| Cell::new(3));
    assert_eq!(format!("{local:?}"), "Local { of_this_thread: None }");
    local.set(4);
    assert_eq!(format!("{local:?}"), "Local { of_this_thread: Some(Cell { value: 4 }) }");
}

#[test]
fn a_pool_uses_a_thread_again_and_its_value_with_it() {
    let local = Arc::new(Local::new(|| RefCell::new(None)));
    let (submit, tasks) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
    let worker = thread::spawn(move || tasks.into_iter().for_each(|task| task()));
    let (tell, told) = mpsc::channel();
    for login in [Some("Alice"), None] {
        let (local, tell) = (Arc::clone(&local), tell.clone());
        let task = move || {
            if login.is_some() {
                local.set(login);
            }
            tell.send(local.with_borrow(|user| *user)).expect("somebody listens");
        };
        submit.send(Box::new(task)).expect("it works");
    }
    drop((submit, tell));
    worker.join().expect("no panic");
    assert_eq!(told.iter().collect::<Vec<_>>(), [Some("Alice"), Some("Alice")]);
}
