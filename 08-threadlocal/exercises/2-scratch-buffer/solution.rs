use std::cell::Cell;

thread_local! {
    static BUF: Cell<String> = const { Cell::new(String::new()) };
}

/// Give `f` an empty buffer. The thread's buffer is used again by later calls (its capacity is kept,
/// no allocation).
/// `f` may call with_buffer itself: the inner call gets another buffer, the outer one is not
/// touched.
pub fn with_buffer<R>(f: impl FnOnce(&mut String) -> R) -> R {
    // Taken out, so that a nested call finds an empty one, and neither borrow nor lock.
    let mut buf = BUF.take();
    buf.clear();
    let r = f(&mut buf);
    BUF.set(buf);
    r
}
