use std::thread;
use std::time::Duration;

use lock::Barrier;

use super::Outcome;

pub(crate) fn run() -> Outcome {
    let barrier = &Barrier::with_action(3, || println!("The last one is there: all go on."));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| barrier.wait())).collect();
        let mut places: Vec<_> =
            threads.into_iter().filter_map(|thread| thread.join().ok()?.ok()).collect();
        places.sort_unstable();
        println!("Their places: {places:?}");
    });
    println!("Now only two come, and one of them has little patience.");
    thread::scope(|scope| {
        let patient = scope.spawn(|| barrier.wait());
        let impatient = barrier.wait_timeout(Duration::from_millis(50));
        for (who, wait) in [("impatient", Ok(impatient)), ("patient", patient.join())] {
            if let Ok(Err(error)) = wait {
                println!("    the {who} one: {error}");
            }
        }
    });
    barrier.reset();
    println!("After a reset, is it broken? {}", barrier.is_broken());
    Ok(())
}
