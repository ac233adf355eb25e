use std::process::id;

use process::Process;

use super::{Outcome, say};

fn run_proc(name: String) {
    say!("Run child process {name} ({})...", id());
}

pub(crate) fn run() -> Outcome {
    say!("Parent process {}.", id());
    let mut p = Process::new(run_proc, ("test".to_owned(),));
    say!("Child process will start.");
    p.start()?;
    p.join()?;
    say!("Child process end.");
    Ok(())
}
