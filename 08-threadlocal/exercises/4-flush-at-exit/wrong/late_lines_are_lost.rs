// Wrong: it does nothing when the buffer is gone.
// Refused by: a_destructor_may_log
// Told: write the line out at once
use std::cell::RefCell;
use std::sync::Mutex;
use std::thread;

/// Where the lines end up. Writing is slow.
pub static SINK: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub fn write_out(lines: Vec<String>) {
    thread::sleep(std::time::Duration::from_millis(30));
    SINK.lock().unwrap().extend(lines);
}

struct Buffer(RefCell<Vec<String>>);

thread_local! {
    static BUF: Buffer = const { Buffer(RefCell::new(Vec::new())) };
}

/// Buffered lines go to write_out when the thread ends.
impl Drop for Buffer {
    fn drop(&mut self) {
        write_out(self.0.take());
    }
}

/// Buffer a line of the calling thread. Works also from the destructor of another thread-local
/// (when this thread's buffer may be gone already: then write the line out at once).
pub fn log(line: &str) {
    let _ = BUF.try_with(|b| b.0.borrow_mut().push(line.to_string()));
}

/// Run `f(0) .. f(n - 1)` on `n` threads; when this returns, every line they logged is in SINK.
pub fn run_logged(n: usize, f: impl Fn(usize) + Sync) {
    thread::scope(|s| {
        let f = &f;
        let handles: Vec<_> = (0..n).map(|i| s.spawn(move || f(i))).collect();
        for h in handles {
            h.join().unwrap();
        }
    });
}
