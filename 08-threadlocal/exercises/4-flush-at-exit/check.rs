// What `log` and `run_logged` must do. Writing out takes 30 ms: lines that nobody waits for come too late, round after round.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use judge::exercise::{Case, require};

use super::answer::{SINK, log, run_logged};

pub(crate) const CASES: &[Case] = &[
    Case::of(&all_run_at_once).within(Duration::from_secs(1)).hang(
        "hang: f(0) to f(2) wait for each other, and run one after the other: start all threads first \
         (a Vec of handles), then join them",
    ),
    Case::of(&all_lines_are_there)
        .within(Duration::from_secs(4))
        .hang("hang: the threads have ended, and run_logged does not return; who holds SINK or the buffer?"),
    Case::of(&a_destructor_may_log)
        .hang("hang: a destructor logs a line, and waits for something that is held")
        .signal(
            "the destructor of another thread-local logged a line, and that aborted the program: this \
             thread's buffer is gone by then, and BUF.with panics; use try_with",
        ),
];

fn there() -> usize {
    SINK.lock().map_or(0, |lines| lines.len())
}

/// Whether so many lines come in the end.
fn come(lines: usize) -> bool {
    let end = Instant::now() + Duration::from_millis(400);
    while there() < lines && Instant::now() < end {
        thread::yield_now();
    }
    there() >= lines
}

judge::case!(
    fn all_run_at_once() {
        let meet = Barrier::new(3);
        run_logged(3, |i| {
            log(&i.to_string());
            meet.wait();
        });
    }
);

judge::case!(
    fn all_lines_are_there() {
        for round in 1..=8 {
            let before = there();
            run_logged(3, |i| {
                log(&format!("{round} {i} first"));
                log(&format!("{round} {i} second"));
                let mine = format!("{round} {i} ");
                require(
                    SINK.lock()
                        .is_ok_and(|lines| !lines.iter().any(|line| line.starts_with(&mine))),
                    "a line was written out while its thread was at work, which waits for a slow write \
                     each time: push it into the thread's buffer",
                );
            });
            let now = there();
            if now < before + 6 {
                require(
                    come(before + 6),
                    "the lines never arrived: the buffer died with the thread; write it out in Drop",
                );
                require(
                    false,
                    "the lines came after run_logged had returned: the end of thread::scope does not \
                     wait for thread-local destructors, join each handle",
                );
            }
            require(now == before + 6, "six lines were logged, and more were written out");
        }
        let mut lines = SINK.lock().map_or_else(|_| Vec::new(), |lines| lines.clone());
        lines.sort();
        lines.dedup();
        require(
            lines.len() == 48,
            "of 48 different lines some were written twice, and others not at all",
        );
    }
);

struct Logs(&'static str);

impl Drop for Logs {
    fn drop(&mut self) {
        log(self.0);
    }
}

thread_local! {
    static OLDER: Logs = const { Logs("older") };
    static YOUNGER: Logs = const { Logs("younger") };
}

judge::case!(
    fn a_destructor_may_log() {
        for (touch_older, line) in [(false, "younger"), (true, "older")] {
            run_logged(1, |_| {
                if touch_older {
                    OLDER.with(|_| ());
                }
                log("f");
                if !touch_older {
                    YOUNGER.with(|_| ());
                }
            });
            let arrived = SINK.lock().is_ok_and(|lines| lines.iter().any(|one| one == line));
            require(
                arrived,
                &format!(
                    "the line `{line}`, which the destructor of another thread-local logged, is not \
                     there: try_with says Err when the buffer is gone, write the line out at once then"
                ),
            );
        }
    }
);
