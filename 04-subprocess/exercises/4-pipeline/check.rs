// What `pipeline` must do: each end that is kept, and each wait that comes too early, has a pipeline that shows it.

use std::time::Duration;

use judge::exercise::{Case, require};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};

use super::answer::pipeline;

pub(crate) const CASES: &[Case] = &[
    Case::of(&three_stages_are_connected).within(SHORT).hang(
        "hang with a small pipeline: you still hold a pipe's write end (a Command that lives on \
         holds one, too), so whoever reads never sees the end; drop it when the stage is started",
    ),
    Case::of(&much_flows_between_stages).within(SHORT).hang(
        "hang: you wait for a stage before the next one runs, and it is blocked on a full pipe; \
         start all stages, then wait",
    ),
    Case::of(&the_last_stage_writes_much).within(SHORT).hang(
        "hang: you wait for the stages before you read, and the last one is blocked on a full \
         pipe; read to the end, then wait",
    ),
    Case::of(&a_stage_that_ends_early_ends_the_ones_before).within(SHORT).hang(
        "hang: the parent still holds the read end between two stages, so the first one never gets \
         SIGPIPE when the second ends; hand it over, do not clone it",
    ),
    Case::of(&every_stage_has_its_code),
    Case::of(&nothing_is_left)
        .zombie(ZOMBIE)
        .descriptor("a descriptor stays open at each call: who still has an end of a pipe?"),
];

const SHORT: Duration = Duration::from_millis(700);
const ZOMBIE: &str = "a stage was not waited for, and stays as a zombie: wait for all, not for the \
                      last one alone";

/// The output, as text, and the codes; a failure ends the case.
fn run(stages: &[&[&str]]) -> (String, Vec<Option<i32>>) {
    let got = pipeline(stages);
    let error = got.as_ref().err().map(ToString::to_string).unwrap_or_default();
    require(got.is_ok(), &format!("the pipeline {stages:?} failed: {error}"));
    let (output, codes) = got.unwrap_or_default();
    (String::from_utf8_lossy(&output).into_owned(), codes)
}

judge::case!(
    fn three_stages_are_connected() {
        let (output, _) = run(&[&["echo", "hello"]]);
        require(output == "hello\n", &format!("`echo hello` alone gave {output:?}"));
        let (output, _) = run(&[&["printf", "b\nc\na\n"], &["sort"], &["tr", "a-z", "A-Z"]]);
        require(
            output == "A\nB\nC\n",
            &format!(
                "b, c, a through `sort | tr a-z A-Z` gave {output:?}: each stage reads what \
                      the one before wrote"
            ),
        );
        let (output, _) = run(&[&["readlink", "/proc/self/fd/0"]]);
        require(
            output == "/dev/null\n",
            &format!("the first stage's stdin is {:?}: make it null", output.trim_end()),
        );
    }
);

judge::case!(
    fn much_flows_between_stages() {
        let (output, _) = run(&[&["head", "-c", "1300000", "/dev/zero"], &["wc", "-c"]]);
        let output = output.trim();
        require(output == "1300000", &format!("of 1300000 bytes `wc -c` has counted {output}"));
    }
);

judge::case!(
    fn the_last_stage_writes_much() {
        let (output, _) = run(&[&["head", "-c", "1300000", "/dev/zero"], &["cat"]]);
        let length = output.len();
        require(length == 1_300_000, &format!("of 1300000 bytes of output there came {length}"));
    }
);

judge::case!(
    fn a_stage_that_ends_early_ends_the_ones_before() {
        let (output, codes) = run(&[&["yes"], &["cat"], &["head", "-n", "1"]]);
        require(output == "y\n", &format!("`yes | cat | head -n 1` gave {output:?}"));
        require(
            codes == [None, None, Some(0)],
            &format!("yes and cat are killed by SIGPIPE, which is None, and you say {codes:?}"),
        );
    }
);

judge::case!(
    fn every_stage_has_its_code() {
        let exits = |code: &'static str| ["sh", "-c", code];
        let stages = [exits("exit 3"), exits("kill -KILL $$"), exits("exit 4"), exits("exit 0")];
        let (_, codes) = run(&stages.each_ref().map(|stage| &stage[..]));
        let right = [Some(3), None, Some(4), Some(0)];
        require(
            codes.len() == right.len(),
            &format!("four stages, and you give the codes {codes:?}: each stage has one"),
        );
        require(
            codes == right,
            &format!("they ended with {right:?}, in this order, and you say {codes:?}"),
        );
    }
);

judge::case!(
    fn nothing_is_left() {
        for _ in 0..5 {
            let _ = run(&[&["echo", "hello"], &["cat"], &["true"]]);
        }
        // Whether it has ended by now or not: a child that is still there was not waited for.
        let any = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        require(waitid(Id::All, any) == Err(Errno::ECHILD), ZOMBIE);
    }
);
