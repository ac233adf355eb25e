use std::fs;
use std::process::id;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use process::{Process, Start};

use super::{Outcome, say};

static COUNTER: AtomicU32 = AtomicU32::new(0);

fn look(greeting: String) {
    say!("    {greeting} from {}: my counter is {},", id(), COUNTER.load(Relaxed));
    say!("    I was started as {},", command_line());
    say!("    and have {} descriptors open.", descriptors());
}

pub(crate) fn run() -> Outcome {
    COUNTER.store(42, Relaxed);
    // As a careless library would: this one has no close-on-exec.
    let exposed = nix::unistd::dup(std::io::stdin())?;
    say!("I am {}: my counter is 42, and I have {} descriptors.", id(), descriptors());
    for method in [Start::Fork, Start::Spawn] {
        say!("{method:?}:");
        let mut process = Process::new(look, ("Hello".to_owned(),)).method(method);
        process.start()?;
        process.join()?;
    }
    drop(exposed);
    say!("Forked, it is a copy of me. Spawned, it is this program from its first line on,");
    say!("with nothing of mine but what crossed to it: a function, and its arguments.");
    Ok(())
}

fn command_line() -> String {
    let line = fs::read("/proc/self/cmdline").unwrap_or_default();
    let words = line.split(|&byte| byte == 0).map(String::from_utf8_lossy);
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    // The program's own name without its folder.
    let name = words[0].rsplit('/').next().unwrap_or_default().to_owned();
    [name]
        .into_iter()
        .chain(words[1..].iter().map(ToString::to_string))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The one that looks excepted.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(1))
}
