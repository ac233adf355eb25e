// What `collect_from_child` must do: each mistake with a queue shows at another moment.

use std::time::Duration;

use judge::exercise::{Case, require};
use nix::sys::signal::{Signal, raise};

use super::answer::collect_from_child;

pub(crate) const CASES: &[Case] = &[
    Case::of(&a_few_values_arrive_in_order).comes_back(BACK).within(Duration::from_secs(1)).hang(
        "hang after the last value: the parent still owns a sender, so the receiver never sees \
         Disconnected; drop(tx) after the fork",
    ),
    Case::of(&many_values_arrive).comes_back(BACK).hang(
        "hang with many values: the child is blocked sending into a full queue while you wait for \
         its end; drain the queue first, then wait",
    ),
    Case::of(&a_child_that_died_gives_an_error)
        .comes_back(BACK)
        .hang("hang: the child died, and you still wait for its values; who owns a sender?"),
    Case::of(&nothing_is_left)
        .comes_back(BACK)
        .zombie("a zombie is left: wait for the child, also when all its values have come")
        .descriptor("a descriptor stays open at each call: drop both ends of the channel"),
];

const BACK: &str = "the child came back out of collect_from_child: end it with libc::_exit, or \
                    everything after the call runs twice";

judge::case!(
    fn a_few_values_arrive_in_order() {
        for n in [0, 3] {
            let got = collect_from_child(n, |i| i * 10);
            let all: Vec<u64> = (0..n).map(|i| i * 10).collect();
            require(
                got.as_ref() == Ok(&all),
                &format!("the child sent {all:?}, and collect_from_child returned {got:?}"),
            );
        }
    }
);

judge::case!(
    fn many_values_arrive() {
        let got = collect_from_child(20_000, |i| i + 1);
        let count = got.as_ref().map(Vec::len);
        require(count == Ok(20_000), &format!("of 20000 values there came {count:?}"));
        require(got == Ok((1..=20_000).collect()), "the values that came are others");
    }
);

fn dies_after_two(i: u64) -> u64 {
    if i == 2 {
        let _ = raise(Signal::SIGKILL);
    }
    i
}

fn ends_after_two(i: u64) -> u64 {
    if i == 2 {
        // SAFETY: it ends the process, and nothing else.
        unsafe { libc::_exit(3) }
    }
    i
}

judge::case!(
    fn a_child_that_died_gives_an_error() {
        for (how, f) in [
            ("was killed", dies_after_two as fn(u64) -> u64),
            ("ended with code 3", ends_after_two),
        ] {
            let got = std::panic::catch_unwind(|| collect_from_child(5, f));
            require(
                got.is_ok(),
                "the child died before it sent all, and your function panicked: recv gives an \
                 error then; return Err",
            );
            require(
                matches!(got, Ok(Err(_))),
                &format!(
                    "the child {how} after two of five values, and you returned what came: look at \
                     the wait status, and return Err"
                ),
            );
        }
    }
);

judge::case!(
    fn nothing_is_left() {
        for _ in 0..20 {
            let got = collect_from_child(3, |i| i);
            require(got.is_ok(), "after some calls it fails: does each leave something behind?");
        }
    }
);
