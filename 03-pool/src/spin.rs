use std::time::{Duration, Instant};
use std::{hint, thread};

/// A few last looks before a sleep, because a wake-up costs more than some hundred of them.
///
/// At first it only pauses, for the other side may run on another CPU; then it lets others run,
/// for the other side may wait for this one. If others take long, the machine is busy, and
/// looking keeps back whoever has work to do.
#[derive(Debug, Default)]
pub(crate) struct Spin {
    turns: u32,
}

const PAUSES: u32 = 20;
const YIELDS: u32 = 16;
const BUSY: Duration = Duration::from_micros(20);

impl Spin {
    /// For who has time: to sleep at once.
    pub(crate) fn none() -> Spin {
        Spin { turns: PAUSES + YIELDS }
    }

    /// Whether the next turn lets others run: hold no lock then.
    pub(crate) fn will_yield(&self) -> bool {
        self.turns >= PAUSES
    }

    /// Takes a turn; false when it is time to sleep.
    pub(crate) fn turn(&mut self) -> bool {
        self.turns += 1;
        if self.turns <= PAUSES {
            hint::spin_loop();
            return true;
        }
        if self.turns > PAUSES + YIELDS {
            return false;
        }
        let before = Instant::now();
        thread::yield_now();
        if before.elapsed() > BUSY {
            self.turns = PAUSES + YIELDS;
        }
        true
    }
}
