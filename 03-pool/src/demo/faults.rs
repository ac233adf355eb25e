use std::io::{Write, stdout};
use std::process::exit;
use std::time::Duration;

use pool::Pool;

use super::Outcome;

fn divide(a: u32, b: u32) -> u32 {
    a / b
}

fn leave(code: i32) {
    #[expect(clippy::disallowed_methods, reason = "what a task that exits does is shown")]
    exit(code);
}

fn crash() {
    std::process::abort();
}

fn forever() {
    loop {
        std::thread::park();
    }
}

pub(crate) fn run() -> Outcome {
    let mut out = stdout();
    let pool = Pool::builder().processes(2).task_timeout(Duration::from_millis(300)).build()?;
    writeln!(out, "Five tasks, of which four go wrong, on two workers {:?}:", pool.worker_pids())?;
    let fine = pool.apply_async(divide, (84, 2));
    writeln!(out, "    84 / 2     {}", fine.get()?)?;
    let panics = pool.apply(divide, (1, 0));
    let [exits, crashes, lasts] =
        [pool.apply_async(leave, (3,)), pool.apply_async(crash, ()), pool.apply_async(forever, ())];
    for (name, error) in [
        ("1 / 0", panics.err()),
        ("exit(3)", exits.get().err()),
        ("abort()", crashes.get().err()),
        ("no end", lasts.get().err()),
    ] {
        let error = error.ok_or("this was to go wrong")?;
        writeln!(out, "    {name:10} {error}")?;
    }
    writeln!(out, "The pool has two workers as before: {:?}", pool.worker_pids())?;
    pool.close().join();
    Ok(())
}
