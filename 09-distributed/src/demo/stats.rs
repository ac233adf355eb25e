//! How the server's tasks are doing.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use distributed::Stats;

use crate::demo::Outcome;
use crate::demo::options::Options;

pub(crate) fn run(options: &Options) -> Outcome {
    let mut tasks = options.open_tasks()?;
    let mut out = io::stdout();
    let live = out.is_terminal() && !options.once;
    loop {
        let table = table(&tasks.stats()?);
        // On a terminal over the last one: home, and clear.
        write!(out, "{}{table}", if live { "\x1b[H\x1b[2J" } else { "" })?;
        out.flush()?;
        if options.once {
            return Ok(());
        }
        #[expect(clippy::disallowed_methods, reason = "a table to look at, once a second")]
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn table(stats: &Stats) -> String {
    let mut table = String::new();
    let counts = [
        ("ready", stats.ready),
        ("delayed", stats.delayed),
        ("leased", stats.leased),
        ("done", stats.done),
        ("dead", stats.dead),
    ];
    for (name, count) in counts {
        let _ = writeln!(table, "{name:<8}{count:>8}");
    }
    for worker in &stats.workers {
        let (name, leased, done) = (&worker.name, worker.leased, worker.done);
        let _ = writeln!(table, "{name}: {leased} on lease, {done} done");
    }
    table
}
