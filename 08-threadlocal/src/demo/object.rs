use std::cell::Cell;
use std::sync::Barrier;
use std::thread;

use threadlocal::Local;

use super::{Outcome, Told};

pub(crate) fn run() -> Outcome {
    let (here, there) = (Local::new(|| Cell::new(0)), Local::new(|| Cell::new(0)));
    here.set(1);
    println!("Two objects, one thread: here is {}, there is {}.", here.get(), there.get());
    thread::scope(|scope| {
        scope.spawn(|| println!("Another thread: here is {}.", here.get()));
    });

    println!("A thread with a value ends:");
    let object = Local::new(|| Told("its value"));
    let named = |name: &str| thread::Builder::new().name(name.to_owned());
    named("anna").spawn_scoped_and_join(|| object.with(|_| ()))?;

    println!("A new thread comes. Does it inherit a value?");
    named("bert").spawn_scoped_and_join(|| {
        println!("    {}", object.peek(|value| if value.is_some() { "yes" } else { "no" }));
    })?;

    println!("A thread with a value lives on, and the object goes:");
    let (begun, gone) = (Barrier::new(2), Barrier::new(2));
    let object = std::sync::Arc::new(object);
    thread::scope(|scope| {
        let theirs = std::sync::Arc::clone(&object);
        let (begun, gone) = (&begun, &gone);
        named("carl").spawn_scoped(scope, move || {
            theirs.with(|_| ());
            drop(theirs);
            begun.wait();
            gone.wait();
        })?;
        begun.wait();
        drop(object);
        println!("    and carl lives.");
        gone.wait();
        Ok::<(), std::io::Error>(())
    })?;
    Ok(())
}

trait JoinedThread {
    /// Runs `work` on the thread, and waits for its end, destructors included.
    fn spawn_scoped_and_join(self, work: impl FnOnce() + Send) -> std::io::Result<()>;
}

impl JoinedThread for thread::Builder {
    fn spawn_scoped_and_join(self, work: impl FnOnce() + Send) -> std::io::Result<()> {
        // The scope's own end waits for the work only, and not for the destructors: `join` does.
        thread::scope(|scope| self.spawn_scoped(scope, work).map(|thread| drop(thread.join())))
    }
}
