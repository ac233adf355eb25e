use std::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::bell::Bell;
use crate::sleep::{Ended, Wait};

/// How many of the values that were got are done, for those who wait until all are.
///
/// How many were put and got is not counted a second time: the ring's head and tail say so. A count of
/// its own would be one too low for ever when somebody is killed between the two.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Tasks {
    done: AtomicU32,
    bell: Bell,
}

impl Tasks {
    /// One more is done; false if as many as were got are already.
    pub(crate) fn done(&self, got: impl Fn() -> u32, put: impl Fn() -> u32) -> bool {
        let mut done = self.done.load(Relaxed);
        loop {
            if done == got() {
                return false;
            }
            let more = done.wrapping_add(1);
            match self.done.compare_exchange_weak(done, more, Release, Relaxed) {
                Ok(_) => {
                    if more == put() {
                        self.bell.ring_all();
                    }
                    return true;
                }
                Err(now) => done = now,
            }
        }
    }

    /// Waits until as many are done as were put.
    pub(crate) fn join(
        &self,
        put: impl Fn() -> u32,
        wait: &Wait<'_>,
        gone: impl FnMut() -> bool,
    ) -> Result<(), Ended> {
        let all_done = || (self.done.load(Acquire) == put()).then_some(());
        self.bell.wait(wait, all_done, gone)
    }

    pub(crate) fn unfinished(&self, put: u32) -> u32 {
        put.wrapping_sub(self.done.load(Acquire))
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }
}
