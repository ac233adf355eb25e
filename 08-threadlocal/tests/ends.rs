//! Promises of `Local` about ends: of threads, of objects, of both at a time, and of processes.

mod support;

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;

use judge::{Judge, check, scenario};
use support::{Counted, Ledger, on_thread};
use threadlocal::{Local, LocalError};

#[test]
fn values_die_with_their_thread_on_it() {
    let ledger = Ledger::default();
    let init = ledger.clone();
    let local = Arc::new(Local::new(move || init.value()));
    let theirs = Arc::clone(&local);
    on_thread("anna", move || theirs.with(|value| assert_eq!(value.0.living(), 1)));
    assert_eq!((ledger.living(), ledger.dropped_on()), (0, vec!["anna".to_owned()]));
}

#[test]
fn values_die_with_their_object_while_their_threads_live_on() {
    let ledger = Ledger::default();
    let init = ledger.clone();
    let local = Arc::new(Local::new(move || init.value()));
    let (begun, gone) = (Arc::new(Barrier::new(4)), Arc::new(Barrier::new(4)));
    let threads = [(); 3].map(|()| {
        let (local, begun, gone) = (Arc::clone(&local), Arc::clone(&begun), Arc::clone(&gone));
        thread::spawn(move || {
            local.with(|_| ());
            drop(local);
            begun.wait();
            gone.wait();
        })
    });
    begun.wait();
    local.with(|_| ());
    assert_eq!(ledger.living(), 4);
    let dropper = thread::Builder::new().name("dropper".to_owned());
    dropper.spawn(move || drop(local)).expect("a thread").join().expect("no panic");
    assert_eq!((ledger.living(), ledger.dropped_on()), (0, vec!["dropper".to_owned(); 4]));
    gone.wait();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(ledger.dropped_on().len(), 4, "the ends of the threads drop nothing twice");
}

#[test]
fn a_new_thread_never_inherits_an_old_threads_value() {
    let local = Arc::new(Local::new(|| Cell::new(0)));
    for _ in 0..200 {
        // One at a time: a new thread has the old one's memory and number, if it is like most.
        let local = Arc::clone(&local);
        on_thread("next", move || {
            assert!(local.peek(|value| value.is_none()));
            assert_eq!(local.get(), 0);
            local.set(7);
        });
    }
}

scenario!(
    // A process of its own: here nobody else takes the place that an object leaves.
    fn uses_a_place_again_beside_a_thread_that_remembers() {
        let (send, receive) = mpsc::channel::<Arc<Local<Cell<i32>>>>();
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            for local in receive {
                let inherits = local.peek(|value| value.is_some());
                let before = local.replace(7);
                drop(local);
                tell.send((inherits, before)).expect("somebody listens");
            }
        });
        let mut fresh = true;
        for _ in 0..100 {
            let local: Arc<Local<Cell<i32>>> = Arc::new(Local::new(|| Cell::new(0)));
            // It has its place from here on, in which the other thread still has the former one's
            // value.
            local.set(1);
            send.send(Arc::clone(&local)).expect("it works");
            fresh &= told.recv() == Ok((false, 0));
        }
        drop(send);
        thread.join().expect("no panic");
        check("fresh", fresh, "the other thread sees no value of an object that is gone");
    }
);

#[test]
fn a_new_object_never_inherits_what_another_thread_had_in_its_place() {
    let scenario = &uses_a_place_again_beside_a_thread_that_remembers;
    Judge::scenario(scenario).declare(["fresh"]).run().assert_clean();
}

#[test]
fn a_new_object_never_inherits_an_old_objects_value() {
    let keep = Local::new(|| Cell::new(1));
    keep.set(2);
    for round in 0..200 {
        // It has the place of the one before in this thread's table, and in the other's.
        let local = Arc::new(Local::new(|| Cell::new(0)));
        assert!(local.peek(|value| value.is_none()), "round {round}");
        assert_eq!(local.replace(round), 0);
        assert_eq!((local.get(), keep.get()), (round, 2));
    }
}

#[test]
fn a_threads_values_are_dropped_newest_first() {
    let (tell, told) = mpsc::channel();
    struct Tell(usize, mpsc::Sender<usize>);
    impl Drop for Tell {
        fn drop(&mut self) {
            self.1.send(self.0).expect("somebody listens");
        }
    }
    let locals = Arc::new([0, 1, 2, 3].map(|n| {
        let tell = Mutex::new(tell.clone());
        Local::new(move || Tell(n, tell.lock().expect("no panic").clone()))
    }));
    // The second time the objects have their places already, and not in this order.
    for order in [[0, 1, 2, 3], [2, 0, 3, 1]] {
        let theirs = Arc::clone(&locals);
        on_thread("anna", move || order.map(|n| theirs[n].with(|_| ())));
    }
    drop((tell, locals));
    assert_eq!(told.iter().collect::<Vec<_>>(), [3, 2, 1, 0, 1, 3, 0, 2]);
}

#[test]
fn a_destructor_finds_the_values_that_are_still_there_and_makes_none() {
    static OLDER: Local<Cell<i32>> = Local::new(|| Cell::new(1));
    static NEWER: Local<Cell<i32>> = Local::new(|| Cell::new(1));
    static NEVER: Local<Cell<i32>> = Local::new(|| Cell::new(1));
    struct Asks(Option<mpsc::Sender<[Result<i32, LocalError>; 4]>>);
    impl Drop for Asks {
        fn drop(&mut self) {
            let Some(tell) = &self.0 else { return };
            let mine = ASKS.try_with(|_| 0);
            let [older, newer, never] =
                [&OLDER, &NEWER, &NEVER].map(|local| local.try_with(Cell::get));
            tell.send([older, newer, never, mine]).expect("somebody listens");
        }
    }
    static ASKS: Local<RefCell<Asks>> = Local::new(|| RefCell::new(Asks(None)));
    let (tell, told) = mpsc::channel();
    on_thread("anna", move || {
        OLDER.set(5);
        ASKS.replace(Asks(Some(tell)));
        // Found often: and yet it must not be found when it is gone.
        (0..3).for_each(|n| NEWER.set(n));
        ASKS.with(|_| ());
    });
    let ending = LocalError::Ending;
    assert_eq!(told.recv(), Ok([Ok(5), Err(ending), Err(ending), Err(ending)]));
}

/// The other way round: a `thread_local!` that goes later than the table asks for a value.
#[test]
fn a_destructor_that_comes_after_the_table_is_told_that_it_is_gone() {
    struct Late(Arc<Local<Cell<i32>>>, mpsc::Sender<Result<i32, LocalError>>);
    impl Drop for Late {
        fn drop(&mut self) {
            self.1.send(self.0.try_with(Cell::get)).expect("somebody listens");
            self.1.send(self.0.peek(|value| Ok(i32::from(value.is_some())))).expect("listens");
        }
    }
    thread_local!(static LATE: RefCell<Option<Late>> = const { RefCell::new(None) });
    let (tell, told) = mpsc::channel();
    on_thread("anna", move || {
        let local: Arc<Local<Cell<i32>>> = Arc::new(Local::new(|| Cell::new(1)));
        // Begun first, so it ends last.
        LATE.with(|late| *late.borrow_mut() = Some(Late(Arc::clone(&local), tell)));
        (0..3).for_each(|n| local.set(n));
    });
    assert_eq!(told.iter().collect::<Vec<_>>(), [Err(LocalError::Ending), Ok(0)]);
}

#[test]
fn a_destructor_may_wait_for_a_thread_that_begins_a_value_of_the_same_object() {
    struct Waits(bool);
    impl Drop for Waits {
        fn drop(&mut self) {
            if self.0 {
                on_thread("later", || WAITS.with(|_| ()));
            }
        }
    }
    static WAITS: Local<RefCell<Waits>> = Local::new(|| RefCell::new(Waits(false)));
    on_thread("anna", || WAITS.with_borrow_mut(|waits| waits.0 = true));
}

#[test]
fn a_destructor_may_wait_for_the_end_of_a_thread_that_has_a_value_of_the_same_object() {
    struct Waits(Option<(mpsc::Sender<()>, thread::JoinHandle<()>)>);
    impl Drop for Waits {
        fn drop(&mut self) {
            if let Some((go, thread)) = self.0.take() {
                drop(go);
                thread.join().expect("no panic");
            }
        }
    }
    let local = Arc::new(Local::new(|| RefCell::new(Waits(None))));
    let (theirs, (begun, is_begun)) = (Arc::clone(&local), mpsc::channel());
    let (go, gone) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        theirs.with(|_| ());
        drop(theirs);
        drop(begun);
        assert!(gone.recv().is_err());
    });
    assert_eq!(is_begun.recv(), Err::<(), _>(mpsc::RecvError));
    local.with_borrow_mut(|waits| waits.0 = Some((go, thread)));
    drop(local);
}

#[test]
fn a_value_may_be_an_object_of_values() {
    let ledger = Ledger::default();
    let init = ledger.clone();
    let nested = Arc::new(Local::new(move || {
        let init = init.clone();
        let inner: Local<Counted, _> = Local::new(move || init.value());
        inner.with(|_| ());
        inner
    }));
    let theirs = Arc::clone(&nested);
    on_thread("anna", move || theirs.with(|inner| inner.with(|_| ())));
    assert_eq!(ledger.living(), 0);
    nested.with(|inner| inner.with(|_| ()));
    assert_eq!(ledger.living(), 1);
    drop(nested);
    assert_eq!(ledger.living(), 0);
}

#[test]
fn threads_that_end_while_their_object_goes_drop_each_value_once() {
    let ledger = Ledger::default();
    for _ in 0..200 {
        let init = ledger.clone();
        let local = Arc::new(Local::new(move || init.value()));
        let go = Arc::new(Barrier::new(4));
        let threads = [(); 3].map(|()| {
            let (local, go) = (Arc::clone(&local), Arc::clone(&go));
            thread::spawn(move || {
                local.with(|_| ());
                drop(local);
                go.wait();
            })
        });
        go.wait();
        drop(local);
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert_eq!(ledger.living(), 0);
    }
    assert_eq!(ledger.dropped_on().len(), 600);
}

scenario!(
    fn makes_a_million_objects() {
        let memory = || {
            let status = std::fs::read_to_string("/proc/self/statm").expect("it is there");
            status.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number")
        };
        let make = |count| {
            for n in 0..count {
                Local::new(move || Cell::new(n)).with(|value| value.set(n + 1));
            }
        };
        make(10_000);
        let before = memory();
        make(200_000);
        let grown = memory().saturating_sub(before);
        check("memory", grown < 64, "tables and lists don't grow with objects that are gone");
    }
);

#[test]
fn objects_that_are_gone_leave_nothing_behind() {
    Judge::scenario(&makes_a_million_objects).declare(["memory"]).run().assert_clean();
}

scenario!(
    fn forks() {
        static LOCAL: Local<Cell<i32>> = Local::new(|| Cell::new(0));
        let ledger = Ledger::default();
        let init = ledger.clone();
        let counted = Arc::new(Local::new(move || init.value()));
        let (begun, done) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let other = {
            let (begun, done, counted) =
                (Arc::clone(&begun), Arc::clone(&done), Arc::clone(&counted));
            thread::spawn(move || {
                LOCAL.set(7);
                counted.with(|_| ());
                begun.wait();
                done.wait();
            })
        };
        begun.wait();
        LOCAL.set(5);
        counted.with(|_| ());
        // SAFETY: the child does what needs no lock of the other thread, which waits, and ends.
        let child = unsafe { libc::fork() };
        if child == 0 {
            check("copy", LOCAL.replace(6) == 5, "the forking thread's value is there, as a copy");
            check("all", ledger.living() == 2, "the other thread's value is there, its thread not");
            drop(counted); // the other thread's handle is there too, and nobody's
            check("left", ledger.living() == 2, "so nothing ends it");
            // SAFETY: it ends the process.
            unsafe { libc::_exit(0) };
        }
        let mut status = 0;
        // SAFETY: a child of ours, and a place for its status.
        let waited = unsafe { libc::waitpid(child, &mut status, 0) };
        check("child", waited == child && status == 0, "the child came to its end");
        check("parent", LOCAL.get() == 5, "the parent's value is its own");
        done.wait();
        other.join().expect("no panic");
        check("ended", ledger.living() == 1, "and its thread's end drops its value");
    }
);

#[test]
fn a_forked_child_has_copies_and_only_the_forking_threads_value_has_a_thread() {
    let checks = ["copy", "all", "left", "child", "parent", "ended"];
    Judge::scenario(&forks).declare(checks).run().assert_clean();
}
