// Wrong: the buffer is taken out of a static, which all threads share.
// Refused by: each_thread_has_its_own
// Told: the buffer of another thread
use std::cell::Cell;

static BUF: std::sync::Mutex<String> = std::sync::Mutex::new(String::new());

/// Give `f` an empty buffer. The thread's buffer is used again by later calls (its capacity is kept,
/// no allocation).
/// `f` may call with_buffer itself: the inner call gets another buffer, the outer one is not
/// touched.
pub fn with_buffer<R>(f: impl FnOnce(&mut String) -> R) -> R {
    let mut buf = std::mem::take(&mut *BUF.lock().unwrap());
    buf.clear();
    let r = f(&mut buf);
    *BUF.lock().unwrap() = buf;
    r
}
