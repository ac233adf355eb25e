// Wrong: it holds a RefCell borrow while f runs.
// Refused by: a_nested_call_gets_another_buffer
// Told: you hold the RefCell borrow while f runs
use std::cell::Cell;

thread_local! {
    static BUF: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

/// Give `f` an empty buffer. The thread's buffer is used again by later calls (its capacity is kept,
/// no allocation).
/// `f` may call with_buffer itself: the inner call gets another buffer, the outer one is not
/// touched.
pub fn with_buffer<R>(f: impl FnOnce(&mut String) -> R) -> R {
    BUF.with_borrow_mut(|buf| {
        buf.clear();
        f(buf)
    })
}
