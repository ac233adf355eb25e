use std::thread::yield_now;
use std::time::{Duration, Instant};

/// About as long as it takes to be woken from a sleep: who looks for no longer than that loses at most as much again,
/// whatever comes (Karlin et al., *Empirical studies of competitive spinning*, 1991).
const LOOK: Duration = Duration::from_micros(30);

/// Somebody else had the CPU meanwhile, and not only for a moment.
const LONG: Duration = Duration::from_micros(500);

/// Looks for a moment whether something comes, before a sleep: the next call or answer is often there sooner than the
/// kernel could wake us.
///
/// Unlike a loop that spins it gives way at each look. On a CPU that others want, too, giving way may take
/// milliseconds, so after that it is not tried again for a hundred times as long.
#[derive(Debug, Default)]
pub(crate) struct Eager {
    rests_until: Option<Instant>,
}

impl Eager {
    /// What `look` found, if it did before it was time to sleep.
    pub(crate) fn watch<T>(&mut self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let start = Instant::now();
        if self.rests_until.is_some_and(|until| start < until) {
            return None;
        }
        loop {
            if let Some(found) = look() {
                return Some(found);
            }
            yield_now();
            let took = start.elapsed();
            if took >= LOOK {
                self.rests_until = (took >= LONG).then(|| start + took * 100);
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_while_one_looks_is_found() {
        // Only somebody who had the CPU for that long could have come between two of the looks.
        let found = (0..1000).any(|_| {
            let mut looks = 0;
            let second = || {
                looks += 1;
                (looks == 2).then_some("found")
            };
            Eager::default().watch(second) == Some("found")
        });
        assert!(found);
    }

    #[test]
    fn who_lost_the_cpu_while_looking_sleeps_next_time() {
        let mut eager = Eager::default();
        let slowly = || -> Option<()> {
            let start = Instant::now();
            while start.elapsed() < LONG {}
            None
        };
        assert_eq!(eager.watch(slowly), None);
        assert_eq!(eager.watch(|| Some("looked")), None);
    }

    #[test]
    fn who_only_looked_in_vain_looks_again_next_time() {
        let again = (0..1000).any(|_| {
            let mut eager = Eager::default();
            eager.watch(|| None::<&str>).is_none() && eager.watch(|| Some("looked")).is_some()
        });
        assert!(again);
    }
}
