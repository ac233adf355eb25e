// Wrong: one buffer for all, locked while f runs.
// Refused by: a_nested_call_gets_another_buffer
// Told: hang
use std::cell::Cell;

static BUF: std::sync::Mutex<String> = std::sync::Mutex::new(String::new());

/// Give `f` an empty buffer. The thread's buffer is used again by later calls (its capacity is kept,
/// no allocation).
/// `f` may call with_buffer itself: the inner call gets another buffer, the outer one is not
/// touched.
pub fn with_buffer<R>(f: impl FnOnce(&mut String) -> R) -> R {
    let mut buf = BUF.lock().unwrap();
    buf.clear();
    f(&mut buf)
}
