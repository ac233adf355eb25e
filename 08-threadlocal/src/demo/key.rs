use std::sync::Barrier;
use std::thread;

use threadlocal::Key;

use super::{Outcome, Told};

pub(crate) fn run() -> Outcome {
    println!("A thread with a value of a key ends:");
    let key = Key::new(|| Told("its value"))?;
    let anna = thread::Builder::new().name("anna".to_owned());
    thread::scope(|scope| {
        // `join` waits for the destructors too, the scope's end does not.
        let thread = anna.spawn_scoped(scope, || key.with(|_| ()))?;
        thread.join().unwrap_or(Ok(()))
    })?;

    println!("A thread with a value lives on, and the key goes:");
    let (begun, gone) = (&Barrier::new(2), &Barrier::new(2));
    let key = std::sync::Arc::new(Key::new(|| Told("a value that nobody ever drops"))?);
    thread::scope(|scope| {
        let theirs = std::sync::Arc::clone(&key);
        scope.spawn(move || {
            let _ = theirs.with(|_| ());
            drop(theirs);
            begun.wait();
            gone.wait();
        });
        begun.wait();
        drop(key);
        gone.wait();
    });
    println!("    nothing: the C library does not know who has one. A Local does.");

    let mut keys = Vec::new();
    let error = loop {
        match Key::new(|| ()) {
            Ok(key) => keys.push(key),
            Err(error) => break error,
        }
    };
    println!("How many keys can a process have? After {} more: {error}", keys.len());
    Ok(())
}
