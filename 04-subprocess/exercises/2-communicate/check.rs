// What `communicate` must do: each order of reading and writing that hangs has a program that shows it.

use std::process::Command;
use std::time::Duration;

use judge::exercise::{Case, require};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};

use super::answer::communicate;

pub(crate) const CASES: &[Case] = &[
    Case::of(&a_small_input_comes_back).within(SHORT).hang(
        "hang with a small input: the program waits for the end of its stdin, which you hold; drop \
         it when all is written",
    ),
    Case::of(&a_large_stderr_arrives).within(SHORT).hang(
        "hang with a large stderr: you read stdout to its end first (or wait for the program's) \
         while the child is blocked on a full stderr; read both at the same time",
    ),
    Case::of(&a_large_stdout_arrives).within(SHORT).hang(
        "hang with a large stdout: you read stderr to its end first while the child is blocked on \
         a full stdout; read both at the same time",
    ),
    Case::of(&a_large_input_goes_through).within(SHORT).hang(
        "hang with a large input: you write all of stdin before you read stdout, and the child is \
         blocked on its full stdout; write from a thread",
    ),
    Case::of(&input_that_nobody_reads_is_no_error)
        .within(SHORT)
        .hang("hang: the program has ended, and you still have input for it"),
    Case::of(&nothing_is_left)
        .zombie(ZOMBIE)
        .descriptor("a descriptor stays open at each call: who still has an end of a pipe?"),
];

const SHORT: Duration = Duration::from_millis(700);
const ZOMBIE: &str = "the program was not waited for: it stays as a zombie";

/// The exit code and the outputs of a shell's script; a failure ends the case.
fn script(lines: &str, input: &[u8]) -> (Option<i32>, Vec<u8>, Vec<u8>) {
    let got = communicate(Command::new("sh").args(["-c", lines]), input);
    let error = got.as_ref().err().map(ToString::to_string).unwrap_or_default();
    require(got.is_ok(), &format!("communicate with `sh -c {lines:?}` failed: {error}"));
    got.map(|(status, out, err)| (status.code(), out, err)).unwrap_or_default()
}

judge::case!(
    fn a_small_input_comes_back() {
        let (code, out, err) = script("cat; echo problem >&2; exit 3", b"hello");
        let out = String::from_utf8_lossy(&out);
        require(
            out == "hello",
            &format!("cat was given \"hello\", and of its stdout came {out:?}"),
        );
        require(err == b"problem\n", "its stderr did not come: it is a pipe of its own");
        require(code == Some(3), &format!("it ended with code 3, and you say {code:?}"));
    }
);

judge::case!(
    fn a_large_stderr_arrives() {
        let (code, out, err) = script("head -c 300000 /dev/zero >&2; echo done; exit 3", b"");
        let lengths = (out.len(), err.len());
        require(
            lengths == (5, 300_000),
            &format!("of 5 bytes on stdout and 300000 on stderr there came {lengths:?}"),
        );
        require(code == Some(3), &format!("it ended with code 3, and you say {code:?}"));
    }
);

judge::case!(
    fn a_large_stdout_arrives() {
        let (_, out, err) = script("head -c 300000 /dev/zero; echo done >&2", b"");
        let lengths = (out.len(), err.len());
        require(
            lengths == (300_000, 5),
            &format!("of 300000 bytes on stdout and 5 on stderr there came {lengths:?}"),
        );
    }
);

judge::case!(
    fn a_large_input_goes_through() {
        let input: Vec<u8> = (0..1 << 20).map(|at| (at % 251) as u8).collect();
        let (_, out, _) = script("exec cat", &input);
        let length = out.len();
        require(length == 1 << 20, &format!("of 1048576 bytes through cat there came {length}"));
        require(out == input, "the bytes that came through cat are others");
    }
);

judge::case!(
    fn input_that_nobody_reads_is_no_error() {
        let input = vec![7; 1 << 20];
        let got = communicate(Command::new("sh").args(["-c", "echo done; exit 4"]), &input);
        let kind = got.as_ref().err().map(std::io::Error::kind);
        require(
            kind.is_none(),
            &format!(
                "the program ended without reading its input, and you returned the error {kind:?}: \
                 it needed no more, so leave the rest and go on"
            ),
        );
        let (status, out, _) = got.unwrap_or_else(|_| unreachable!());
        require(out == b"done\n", "it read nothing, and still wrote a line: that did not come");
        require(status.code() == Some(4), &format!("it ended with code 4, and you say {status}"));
    }
);

judge::case!(
    fn nothing_is_left() {
        for _ in 0..5 {
            let _ = script("cat", b"hello");
            let _ = script("exit 1", &[0; 100_000]);
        }
        // Whether it has ended by now or not: a child that is still there was not waited for.
        let any = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        require(waitid(Id::All, any) == Err(Errno::ECHILD), ZOMBIE);
    }
);
