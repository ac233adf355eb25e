//! What the tests need: values that are counted, and threads that are waited for to their very end.
#![allow(dead_code, reason = "no test file uses all of it")]

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

/// Counts those of its kind that live, and tells on which thread one was dropped.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<(AtomicUsize, Mutex<Vec<String>>)>);

impl Ledger {
    pub(crate) fn value(&self) -> Counted {
        self.0.0.fetch_add(1, SeqCst);
        Counted(self.clone())
    }

    pub(crate) fn living(&self) -> usize {
        self.0.0.load(SeqCst)
    }

    pub(crate) fn dropped_on(&self) -> Vec<String> {
        self.0.1.lock().expect("no panic").clone()
    }
}

pub(crate) struct Counted(pub(crate) Ledger);

impl Drop for Counted {
    fn drop(&mut self) {
        let name = thread::current().name().unwrap_or("?").to_owned();
        self.0.0.1.lock().expect("no panic").push(name);
        self.0.0.0.fetch_sub(1, SeqCst);
    }
}

/// Runs `work` on a thread of that name, to its very end, destructors included.
pub(crate) fn on_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work).expect("a thread");
    thread.join().expect("it did not panic")
}
