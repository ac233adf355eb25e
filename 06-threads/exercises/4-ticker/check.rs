// What a `Ticker` must do, above all when it is dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use judge::exercise::{Case, require};

use super::answer::Ticker;

pub(crate) const CASES: &[Case] = &[
    Case::of(&it_ticks_and_stops).hang(
        "hang in drop: you join while your own Sender field is still alive (fields are dropped \
         after Drop::drop); take() and drop it first",
    ),
    Case::of(&drop_returns_at_once).hang(
        "drop waits for the rest of the period: thread::sleep cannot be woken; wait with \
         recv_timeout (or a Condvar) so that stopping wakes the thread",
    ),
    Case::of(&drop_waits_for_the_call_that_runs),
    Case::of(&a_panic_of_f_stays_there).hang("hang in drop: f panicked, and its thread is gone"),
];

const TICK: Duration = Duration::from_millis(10);

/// Waits until it is so, or a second is over; says whether it is so.
fn until(so: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(1);
    while !so() && Instant::now() < end {
        judge::exercise::pause(Duration::from_millis(1));
    }
    so()
}

judge::case!(
    fn it_ticks_and_stops() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let start = Instant::now();
        let ticker = Ticker::start(TICK, move || {
            counted.fetch_add(1, SeqCst);
        });
        require(until(|| count.load(SeqCst) >= 3), "a period of 10 ms, and no three calls in 1 s");
        require(start.elapsed() >= 2 * TICK, "the calls come faster than the period");
        drop(ticker);
        let at_drop = count.load(SeqCst);
        judge::exercise::pause(5 * TICK);
        require(
            count.load(SeqCst) == at_drop,
            "f was called after drop had returned: tell the thread to stop, and join it",
        );
    }
);

judge::case!(
    fn drop_returns_at_once() {
        let ticker = Ticker::start(Duration::from_secs(60), || ());
        // The thread shall be in its wait.
        judge::exercise::pause(Duration::from_millis(50));
        drop(ticker);
    }
);

judge::case!(
    fn drop_waits_for_the_call_that_runs() {
        let inside = Arc::new(AtomicBool::new(false));
        let runs = Arc::clone(&inside);
        let ticker = Ticker::start(TICK, move || {
            runs.store(true, SeqCst);
            judge::exercise::pause(Duration::from_millis(300));
            runs.store(false, SeqCst);
        });
        require(until(|| inside.load(SeqCst)), "a period of 10 ms, and no call in 1 s");
        drop(ticker);
        require(
            !inside.load(SeqCst),
            "drop returned while f was still running: join the thread, it may use what its owner \
             is about to free",
        );
    }
);

/// Tells when it is dropped, by a panic that goes through its owner.
struct Tells(Arc<AtomicBool>);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

judge::case!(
    fn a_panic_of_f_stays_there() {
        let gone = Arc::new(AtomicBool::new(false));
        let tells = Tells(Arc::clone(&gone));
        let ticker = Ticker::start(TICK, move || {
            let _ = &tells;
            panic!("on purpose, in f")
        });
        until(|| gone.load(SeqCst));
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(ticker)));
        require(
            dropped.is_ok(),
            "f panicked, and then drop panicked: join returns Err then, and drop must not unwrap \
             it",
        );
    }
);
