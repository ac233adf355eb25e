//! Threads: locks, condition variables, channels, joins.

use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use judge::{Judge, scenario};

use crate::{program_says, ready, says, tid};

scenario!(
    fn locks_twice() {
        let lock = Mutex::new(());
        let _first = lock.lock();
        ready(&[]);
        let _second = lock.lock();
    }
);

#[test]
fn a_thread_that_locks_twice_waits_for_itself() {
    let said = says(
        &locks_twice,
        &[
            "waits for a futex at 0x",
            "; the word holds 2, as in a std Mutex that is locked and waited for: it does not say who holds it",
            "; the process has no other thread that could wake it",
        ],
    );
    assert!(said[0].ends_with("waits for itself: nobody else can end that"), "{said:?}");
}

scenario!(
    fn locks_in_both_orders() {
        let (a, b) = (Mutex::new(()), Mutex::new(()));
        let both = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _a = a.lock();
                both.wait();
                let _b = b.lock();
            });
            let _b = b.lock();
            both.wait();
            ready(&[]);
            let _a = a.lock();
        });
    }
);

#[test]
fn two_threads_that_lock_in_both_orders_deadlock() {
    let said = says(
        &locks_in_both_orders,
        &[
            ", main thread, waits for a futex at 0x",
            ", thread ",
            "the word holds 2",
            "process {main} (",
            ": all its 2 threads wait, and only they could wake one another: none can go on",
        ],
    );
    assert!(said[0].contains("none can go on"), "{said:?}");
}

scenario!(
    fn waits_for_a_condition() {
        let (lock, condition) = (Mutex::new(false), Condvar::new());
        let mut done = lock.lock().expect("no panic");
        ready(&[]);
        while !*done {
            done = condition.wait(done).expect("no panic");
        }
    }
);

#[test]
fn a_condition_that_nobody_notifies_is_a_futex_without_a_waker() {
    says(
        &waits_for_a_condition,
        &[
            "waits for a futex at 0x",
            "and does not say for whom it waits",
            "; the process has no other thread that could wake it",
        ],
    );
}

scenario!(
    fn receives_what_it_could_send() {
        let (sender, receiver) = channel::<()>();
        ready(&[]);
        let _ = receiver.recv();
        drop(sender);
    }
);

#[test]
fn a_receiver_whose_sender_lives_is_a_parked_thread() {
    let said = says(
        &receives_what_it_could_send,
        &["; the word holds -1, as in a parked thread (park, a channel's recv, a scope)"],
    );
    assert!(said[0].ends_with("waits for itself: nobody else can end that"), "{said:?}");
}

scenario!(
    fn joins_a_sleeper() {
        let (tell, told) = channel();
        let sleeper = thread::Builder::new().name("sleeper".to_owned()).spawn(move || {
            let _ = tell.send(tid());
            #[expect(clippy::disallowed_methods, reason = "the sleep is the hang")]
            thread::sleep(Duration::from_secs(3600));
        });
        let number = told.recv().expect("its number");
        ready(&[("thread", number)]);
        let _ = sleeper.expect("a thread").join();
    }
);

#[test]
fn a_join_names_the_thread_and_what_that_does() {
    let said = says(
        &joins_a_sleeper,
        &[
            ", main thread, waits for a futex at 0x",
            "; the word holds {thread}: it joins thread {thread}",
            ", thread {thread} (sleeper), sleeps for 3",
        ],
    );
    // The sleeper will wake: it is no deadlock, and it comes first.
    assert!(said[0].contains("(sleeper), sleeps"), "{said:?}");
    assert!(!said.concat().contains("can go on"), "{said:?}");
}

scenario!(
    fn two_wait_for_one_lock() {
        let lock = Arc::new(Mutex::new(()));
        let _held = lock.lock();
        let (tell, told) = channel();
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let (lock, tell) = (lock.clone(), tell.clone());
                thread::spawn(move || {
                    let _ = tell.send(tid());
                    drop(lock.lock());
                })
            })
            .collect();
        let [one, other] = [told.recv(), told.recv()].map(|it| it.expect("its number"));
        ready(&[("one", one), ("other", other)]);
        for waiter in waiters {
            let _ = waiter.join();
        }
    }
);

#[test]
fn those_that_wait_for_the_same_lock_know_of_each_other() {
    says(
        &two_wait_for_one_lock,
        &[
            "; thread {one} waits for the same one",
            "; thread {other} waits for the same one",
            ": all its 3 threads wait, and only they could wake one another",
        ],
    );
}

#[test]
fn a_lock_of_the_c_library_names_its_holder() {
    let Some(python) = crate::python() else { return };
    // Through ctypes: the mutex as C programs have it.
    let program = "import ctypes, threading\n\
        c = ctypes.CDLL(None)\n\
        lock = ctypes.create_string_buffer(40)\n\
        c.pthread_mutex_lock(lock)\n\
        print(f'ready holder={threading.get_native_id()}', flush=True)\n\
        c.pthread_mutex_lock(lock)\n";
    program_says(
        Judge::program(python).args(["-c", program]),
        &["; the word holds 2, as in a lock of the C library that this thread itself holds"],
    );
}
