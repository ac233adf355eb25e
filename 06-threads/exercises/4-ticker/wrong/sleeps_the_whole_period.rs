// Wrong: it sleeps the whole period.
// Refused by: drop_returns_at_once
// Told: thread::sleep cannot be woken
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
pub struct Ticker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub fn start(period: Duration, mut f: impl FnMut() + Send + 'static) -> Ticker {
        let (stop, stopped) = channel::<()>();
        let thread = thread::spawn(move || {
            loop {
                thread::sleep(period);
                if stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Empty) {
                    break;
                }
                f();
            }
        });
        Ticker { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(t) = self.thread.take() {
            let _ = t.join();
        }
    }
}
