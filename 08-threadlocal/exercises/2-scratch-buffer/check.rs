// What `with_buffer` must do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use judge::exercise::{Case, require};

use super::answer::with_buffer;

pub(crate) const CASES: &[Case] = &[
    Case::of(&each_call_gets_an_empty_buffer).within(Duration::from_secs(1)),
    Case::of(&the_capacity_is_kept).within(Duration::from_secs(1)),
    Case::of(&a_nested_call_gets_another_buffer).within(Duration::from_secs(1)).hang(
        "hang: a nested call waits for a lock that the outer call holds while f runs; take the buffer \
         out, run f, put it back",
    ),
    Case::of(&each_thread_has_its_own).within(Duration::from_secs(1)).hang(
        "hang: another thread waits for the buffer that this thread uses; keep one in a thread_local!",
    ),
];

const LARGE: usize = 100_000;

judge::case!(
    fn each_call_gets_an_empty_buffer() {
        let length = with_buffer(|buf| {
            buf.push_str("ann's text");
            buf.len()
        });
        require(
            length == 10,
            "the first call's buffer was not empty, or f's result did not come back",
        );
        require(
            with_buffer(|buf| buf.is_empty()),
            "the buffer was not empty: it still holds the text of an earlier call, clear it before f",
        );
    }
);

judge::case!(
    fn the_capacity_is_kept() {
        let first = with_buffer(|buf| {
            buf.reserve(LARGE);
            buf.as_ptr().addr()
        });
        let (second, capacity) = with_buffer(|buf| (buf.as_ptr().addr(), buf.capacity()));
        require(
            capacity >= LARGE && first == second,
            "the second call got a new buffer, and must allocate again: put it back after f, and \
             clear it (clear keeps the capacity)",
        );
    }
);

judge::case!(
    fn a_nested_call_gets_another_buffer() {
        with_buffer(|outer| {
            outer.push_str("outer");
            let inner = catch_unwind(AssertUnwindSafe(|| {
                with_buffer(|inner| {
                    let empty = inner.is_empty();
                    inner.push_str("inner");
                    empty
                })
            }));
            require(
                inner.is_ok(),
                "a nested call panicked (already borrowed): you hold the RefCell borrow while f runs; \
                 take the buffer out, run f, put it back",
            );
            require(inner.unwrap_or(true), "a nested call got a buffer that was not empty");
            require(outer == "outer", "a nested call changed the text in the outer buffer");
        });
        require(with_buffer(|buf| buf.is_empty()), "after a nested call a buffer was not empty");
    }
);

judge::case!(
    fn each_thread_has_its_own() {
        let other = || thread::scope(|s| s.spawn(|| with_buffer(|buf| buf.capacity())).join());
        with_buffer(|buf| {
            buf.reserve(LARGE);
            require(
                other().is_ok(),
                "a call on another thread panicked while this one used its buffer",
            );
        });
        require(
            other().is_ok_and(|capacity| capacity < LARGE),
            "a new thread got the buffer of another thread: a static is one for all, a thread_local! \
             one for each",
        );
    }
);
