use std::hint::black_box;
use std::mem::MaybeUninit;
use std::thread;
use std::time::{Duration, Instant};

use lock::{Event, Mutex, SleepLock, SpinLock};

use super::Outcome;

const TIMES: u32 = 200_000;
const HELD: Duration = Duration::from_millis(50);

pub(crate) fn run() -> Outcome {
    println!("                lock + unlock   waiting {HELD:?} for it");
    let spin = SpinLock::new(0_u64);
    row("SpinLock", || spin.lock());
    let sleep = SleepLock::new(0_u64);
    row("SleepLock", || sleep.lock());
    let mutex = Mutex::new(0_u64);
    row("Mutex", || mutex.lock());
    Ok(())
}

fn row<G>(name: &str, lock: impl Fn() -> G + Sync) {
    let start = Instant::now();
    for _ in 0..TIMES {
        drop(black_box(lock()));
    }
    let each = start.elapsed() / TIMES;

    let (held, never) = (&Event::new(), &Event::new());
    let lock = &lock;
    let busy = thread::scope(|scope| {
        scope.spawn(move || {
            let _guard = lock();
            held.set();
            // Time has to pass here: that it is lost for nobody is the point.
            let _ = never.wait_timeout(HELD);
        });
        held.wait();
        let before = cpu_time();
        drop(lock());
        cpu_time() - before
    });
    let each = format!("{each:?}");
    println!("    {name:<12}{each:>12}   {:>8.1} ms of a core", busy.as_secs_f64() * 1e3);
}

/// How long this thread has been on a core.
fn cpu_time() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the kernel writes a whole timespec there, or fails.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr()) };
    assert_eq!(failed, 0, "every Linux has this clock");
    // SAFETY: it did not fail.
    let time = unsafe { time.assume_init() };
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
