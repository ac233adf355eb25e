// Right: each depth of nesting keeps a buffer of its own.
use std::cell::RefCell;

thread_local! {
    static FREE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

pub fn with_buffer<R>(f: impl FnOnce(&mut String) -> R) -> R {
    let mut buf = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    let r = f(&mut buf);
    buf.clear();
    FREE.with_borrow_mut(|free| free.push(buf));
    r
}
