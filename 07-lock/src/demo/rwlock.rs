use std::sync::Barrier;
use std::thread;

use lock::RwLock;

use super::Outcome;

pub(crate) fn run() -> Outcome {
    let price = &RwLock::new(3);
    let (inside, leave) = (&Barrier::new(3), &Barrier::new(3));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(move || {
                let _read = price.read();
                inside.wait();
                leave.wait();
            });
        }
        inside.wait();
        println!("Two readers are inside. May a third one? {}", yes(price.try_read().is_some()));
        println!("May a writer? {}", yes(price.try_write().is_some()));
        let writer = scope.spawn(|| *price.write() += 1);
        // From the moment at which the writer waits, readers are kept out.
        while price.try_read().is_some() {
            thread::yield_now();
        }
        println!(
            "A writer waits. May a third reader now? no: else a writer might never have a turn."
        );
        leave.wait();
        if writer.join().is_ok() {
            println!("The readers left, and the writer has written: {}", *price.read());
        }
    });
    Ok(())
}

fn yes(may: bool) -> &'static str {
    if may { "yes" } else { "no" }
}
