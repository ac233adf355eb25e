// Wrong: it does not clear.
// Refused by: each_call_gets_an_empty_buffer
// Told: clear it before f
use std::cell::Cell;

thread_local! {
    static BUF: Cell<String> = const { Cell::new(String::new()) };
}

/// Give `f` an empty buffer. The thread's buffer is used again by later calls (its capacity is kept,
/// no allocation).
/// `f` may call with_buffer itself: the inner call gets another buffer, the outer one is not
/// touched.
pub fn with_buffer<R>(f: impl FnOnce(&mut String) -> R) -> R {
    let mut buf = BUF.take();
    let r = f(&mut buf);
    BUF.set(buf);
    r
}
