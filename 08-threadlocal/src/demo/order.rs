use std::sync::Arc;
use std::thread;

use threadlocal::{Key, Local};

use super::{Outcome, Told};

thread_local! {
    static FIRST: Told = const { Told("thread_local! 1") };
    static SECOND: Told = const { Told("thread_local! 2") };
}

pub(crate) fn run() -> Outcome {
    let keys = [Key::new(|| Told("pthread key 1"))?, Key::new(|| Told("pthread key 2"))?];
    let objects: [Local<Told>; 2] =
        [Local::new(|| Told("Local 1")), Local::new(|| Told("Local 2"))];
    let all = Arc::new((keys, objects));
    println!("A thread begins, in this order: pthread keys 1 and 2, thread_local! 1, Local 1,");
    println!("Local 2, thread_local! 2. It ends:");
    let theirs = Arc::clone(&all);
    let work = move || {
        let (keys, objects) = &*theirs;
        for key in keys {
            key.with(|_| ())?;
        }
        FIRST.with(|_| ());
        objects.iter().for_each(|object| object.with(|_| ()));
        SECOND.with(|_| ());
        Ok::<(), std::io::Error>(())
    };
    let thread = thread::Builder::new().name("anna".to_owned()).spawn(work)?;
    if let Ok(result) = thread.join() {
        result?;
    }
    println!(
        "Rust's first, the last begun first; all Locals together, the newest first; C's last."
    );
    Ok(())
}
