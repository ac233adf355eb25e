// What `compute_in_child` must do: each mistake with a pipe shows at another size.

use std::time::Duration;

use judge::exercise::{Case, require};
use nix::sys::signal::{Signal, raise};

use super::answer::compute_in_child;

pub(crate) const CASES: &[Case] = &[
    Case::of(&a_small_result_comes_back).comes_back(BACK).hang(
        "hang: the parent still holds the write end of the pipe, so its own read never sees end of \
         file; drop(wr) first",
    ),
    Case::of(&a_result_larger_than_a_pipe_comes_back).comes_back(BACK).hang(
        "hang on a large result: the child is blocked writing into a full pipe while you wait for \
         its exit; drain the pipe first, then wait",
    ),
    Case::of(&a_child_that_did_not_deliver_gives_none)
        .comes_back(BACK)
        .hang("hang: the child died, and you still wait for its bytes; who holds a write end?"),
    Case::of(&nothing_is_left_open)
        .comes_back(BACK)
        .within(Duration::from_secs(5))
        .zombie("a zombie is left: wait for the child, also when it did not deliver")
        .descriptor("a descriptor stays open at each call: both ends of the pipe must be closed"),
];

const BACK: &str = "the child came back out of compute_in_child: end it with libc::_exit, or \
                    everything after the call runs twice";

judge::case!(
    fn a_small_result_comes_back() {
        for bytes in [&b""[..], b"x", b"forty-two"] {
            let got = compute_in_child(|| bytes.to_vec());
            require(
                got == Ok(Some(bytes.to_vec())),
                &format!("the child computed {bytes:?}, and compute_in_child returned {got:?}"),
            );
        }
    }
);

judge::case!(
    fn a_result_larger_than_a_pipe_comes_back() {
        let got = compute_in_child(|| vec![7; 1 << 20]).ok().flatten();
        let length = got.as_ref().map(Vec::len);
        require(
            length == Some(1 << 20),
            &format!(
                "of 1048576 bytes there came {length:?}: one read takes what is there, not all"
            ),
        );
        require(got == Some(vec![7; 1 << 20]), "the bytes that came are others");
    }
);

judge::case!(
    fn a_child_that_did_not_deliver_gives_none() {
        let killed = compute_in_child(|| {
            let _ = raise(Signal::SIGKILL);
            Vec::new()
        });
        require(
            killed == Ok(None),
            "a child was killed before it delivered, and you returned a result: no bytes are not \
             an empty result, look at the wait status",
        );
        let exited = compute_in_child(|| {
            // SAFETY: it ends the process, and nothing else.
            unsafe { libc::_exit(3) }
        });
        require(
            exited == Ok(None),
            "a child ended with code 3 before it delivered, and you returned a result: look at the \
             exit code, too",
        );
    }
);

judge::case!(
    fn nothing_is_left_open() {
        for at in 0..50 {
            let got = compute_in_child(|| {
                if at % 10 == 9 {
                    let _ = raise(Signal::SIGKILL);
                }
                vec![1]
            });
            require(got.is_ok(), "after some calls it fails: does each leave something behind?");
        }
    }
);
