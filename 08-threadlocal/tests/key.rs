//! Promises of `Key`, and of the order in which a thread's values are dropped.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use judge::{Judge, check, scenario};
use threadlocal::{Key, Local};

#[test]
fn a_key_gives_each_thread_a_value_of_its_own() {
    let key = Key::new(|| Cell::new(1)).expect("a key");
    key.with(|value| value.set(2)).expect("room");
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let first = key.with(|value| value.replace(5)).expect("room");
                assert_eq!((first, key.with(Cell::get).expect("room")), (1, 5));
            });
        }
    });
    assert_eq!(key.with(Cell::get).expect("room"), 2);
}

#[test]
fn a_keys_value_is_dropped_when_its_thread_ends_and_not_with_the_key() {
    static DROPPED: AtomicU32 = AtomicU32::new(0);
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, SeqCst);
        }
    }
    let key = Arc::new(Key::new(|| Counted).expect("a key"));
    let theirs = Arc::clone(&key);
    let ended = thread::spawn(move || theirs.with(|_| ()).expect("room"));
    ended.join().expect("no panic");
    assert_eq!(DROPPED.load(SeqCst), 1);

    let (begun, gone) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        let theirs = Arc::clone(&key);
        let (begun, gone) = (&begun, &gone);
        let thread = scope.spawn(move || {
            theirs.with(|_| ()).expect("room");
            drop(theirs);
            begun.wait();
            gone.wait();
        });
        begun.wait();
        drop(key);
        gone.wait();
        thread.join().expect("no panic");
    });
    assert_eq!(DROPPED.load(SeqCst), 1, "the C library forgot it");
}

#[test]
fn an_initialiser_that_asks_for_its_own_value_keeps_the_first_one() {
    static KEY: std::sync::OnceLock<Key<u32>> = std::sync::OnceLock::new();
    static CALLS: AtomicU32 = AtomicU32::new(0);
    fn init() -> u32 {
        let call = CALLS.fetch_add(1, SeqCst);
        if call == 0 {
            let inner = KEY.get().expect("set").with(|value| *value).expect("room");
            assert_eq!(inner, 1);
        }
        call
    }
    let key = KEY.get_or_init(|| Key::new(init).expect("a key"));
    assert_eq!(key.with(|value| *value).expect("room"), 1);
}

static ORDER: Mutex<Vec<&str>> = Mutex::new(Vec::new());

struct Noted(&'static str);

impl Drop for Noted {
    fn drop(&mut self) {
        ORDER.lock().expect("no panic").push(self.0);
    }
}

thread_local! {
    static ONE: Noted = const { Noted("thread_local 1") };
    static TWO: Noted = const { Noted("thread_local 2") };
}

scenario!(
    fn drops_in_order() {
        let keys = [Key::new(|| Noted("key 1")), Key::new(|| Noted("key 2"))];
        let locals: [Local<Noted>; 2] =
            [Local::new(|| Noted("local 1")), Local::new(|| Noted("local 2"))];
        thread::spawn(move || {
            for key in &keys {
                key.as_ref().expect("a key").with(|_| ()).expect("room");
            }
            ONE.with(|_| ());
            locals.iter().for_each(|local| local.with(|_| ()));
            TWO.with(|_| ());
            // They outlive the thread: it is its end that is watched, and not theirs.
            let _ = std::mem::ManuallyDrop::new((keys, locals));
        })
        .join()
        .expect("no panic");
        let order = ORDER.lock().expect("no panic").join(", ");
        let expected = "thread_local 2, local 2, local 1, thread_local 1, key 1, key 2";
        check("order", order == expected, &order);
    }
);

#[test]
fn a_thread_drops_thread_locals_last_begun_first_and_then_keys() {
    Judge::scenario(&drops_in_order).declare(["order"]).run().assert_clean();
}

scenario!(
    fn makes_itself_again() {
        static KEY: std::sync::OnceLock<Key<Again>> = std::sync::OnceLock::new();
        static ROUNDS: AtomicU32 = AtomicU32::new(0);
        struct Again;
        impl Drop for Again {
            fn drop(&mut self) {
                ROUNDS.fetch_add(1, SeqCst);
                let _ = KEY.get().map(|key| key.with(|_| ()));
            }
        }
        KEY.get_or_init(|| Key::new(|| Again).expect("a key"));
        let thread = thread::spawn(|| KEY.get().map(|key| key.with(|_| ()).is_ok()));
        check("made", thread.join().is_ok_and(|made| made == Some(true)), "it has a value");
        let rounds = ROUNDS.load(SeqCst);
        check("rounds", rounds == 4, &format!("the C library gave up after {rounds} rounds"));
    }
);

#[test]
fn the_c_library_goes_four_rounds_and_gives_up() {
    Judge::scenario(&makes_itself_again).declare(["made", "rounds"]).run().assert_clean();
}

scenario!(
    fn takes_all_keys() {
        let mut keys = Vec::new();
        let error = loop {
            match Key::new(|| ()) {
                Ok(key) => keys.push(key),
                Err(error) => break error,
            }
        };
        check("limit", keys.len() <= 1024 && keys.len() > 900, "about a thousand");
        check("error", error.raw_os_error() == Some(libc::EAGAIN), "then there is an error");
        // An object needs none of them.
        let locals: Vec<_> = (0..2000).map(|n| Local::new(move || Cell::new(n))).collect();
        check("locals", locals.iter().all(|local| local.get() < 2000), "objects are not bounded");
        keys.pop();
        check("again", Key::new(|| ()).is_ok(), "a key that goes makes room");
    }
);

#[test]
fn keys_are_few_and_running_out_of_them_is_an_error() {
    let checks = ["limit", "error", "locals", "again"];
    Judge::scenario(&takes_all_keys).declare(checks).run().assert_clean();
}
