//! Times, as a sentence needs them.

use std::time::{SystemTime, UNIX_EPOCH};

/// How many seconds there are until that time by a clock.
pub(super) fn left(until: f64, clock: i32) -> Option<f64> {
    now(clock).map(|now| (until - now).max(0.0))
}

/// What time it is by a clock; close enough for a sentence.
fn now(clock: i32) -> Option<f64> {
    if clock == libc::CLOCK_REALTIME {
        return Some(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs_f64());
    }
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    uptime.split_whitespace().next()?.parse().ok()
}

/// Seconds as one says them.
pub(super) fn long(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 1e8 => "ever".to_owned(),
        _ if seconds >= 10.0 => format!("{seconds:.0} s"),
        _ => format!("{seconds:.3} s"),
    }
}
