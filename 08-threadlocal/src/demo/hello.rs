use std::cell::RefCell;
use std::sync::Barrier;
use std::thread;

use threadlocal::Local;

use super::Outcome;

/// One name for all threads, and a value for each.
static STUDENT: Local<RefCell<String>> = Local::new(RefCell::default);

/// Reads the student without having been handed one.
fn process_student() {
    let thread = thread::current();
    STUDENT.with_borrow(|name| println!("Hello, {name} (in {})", thread.name().unwrap_or("?")));
}

pub(crate) fn run() -> Outcome {
    // Both have set their student before one of them greets, and they greet in this order.
    let (both_set, first_greeted) = (&Barrier::new(2), &Barrier::new(2));
    thread::scope(|scope| {
        thread::Builder::new().name("Thread-A".to_owned()).spawn_scoped(scope, || {
            STUDENT.set("Alice".to_owned());
            both_set.wait();
            process_student();
            first_greeted.wait();
        })?;
        thread::Builder::new().name("Thread-B".to_owned()).spawn_scoped(scope, || {
            STUDENT.set("Bob".to_owned());
            both_set.wait();
            first_greeted.wait();
            process_student();
        })?;
        Ok(())
    })
}
