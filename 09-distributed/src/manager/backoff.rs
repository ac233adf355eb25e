use std::time::{Duration, Instant};

use crate::manager::ConnectError;
use crate::wire::key::random;

/// Pauses between attempts: each up to twice as long as the one before, and of random length. After
/// a restart a thousand workers come back, and without the jitter all of them at the same moment.
#[derive(Debug)]
pub(crate) struct Backoff {
    start: Instant,
    longest: Duration,
}

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

impl Backoff {
    pub(crate) fn new() -> Backoff {
        Backoff { start: Instant::now(), longest: FIRST }
    }

    /// Waits between a half and the whole of what this pause may be; false if there is no time left, of so much for all
    /// attempts together.
    pub(crate) fn pause(&mut self, within: Duration) -> bool {
        let left = within.saturating_sub(self.start.elapsed());
        if left.is_zero() {
            return false;
        }
        let dice = f64::from(random::<1>().map_or(0, |[dice]| dice)) / 256.0;
        let pause = self.longest.mul_f64(0.5 + dice / 2.0);
        self.longest = (self.longest * 2).min(LONGEST);
        // Nothing tells when a server comes back.
        #[expect(clippy::disallowed_methods, reason = "the pause is the subject")]
        std::thread::sleep(pause.min(left));
        true
    }

    /// Tries until it succeeds, fails for good, or the time is over.
    pub(crate) fn retry<T>(
        within: Duration,
        mut attempt: impl FnMut() -> Result<T, ConnectError>,
    ) -> Result<T, ConnectError> {
        let mut backoff = Backoff::new();
        loop {
            match attempt() {
                Err(error) if error.is_temporary() && backoff.pause(within) => {}
                done => return done,
            }
        }
    }
}
