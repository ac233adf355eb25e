use std::fs;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use subprocess::{Command, Error, PIPE};

use super::Outcome;

/// Each line that it prints is a process, and none of them ends by itself soon.
const FAMILY: &str = r#"
echo "$$ the shell"
sleep 60 &
echo "$! its child"
(sleep 60 & echo "$! its grandchild, whose parent has ended")
setsid sleep 60 &
echo "$! its child in a session of its own"
wait
"#;

pub(crate) fn run(out: &mut io::Stdout) -> Outcome {
    let start = Instant::now();
    let result = Command::shell(FAMILY).stdout(PIPE).timeout(Duration::from_secs(1)).run();
    let Err(Error::Timeout(expired)) = result else { return Err("it was to time out".into()) };
    writeln!(out, "A shell and what it started had one second; after {:.1?}:", start.elapsed())?;
    // All were killed before the error came. Who is nobody's child any more is reaped by its adopter,
    // a moment later.
    for line in String::from_utf8_lossy(&expired.stdout).lines() {
        let (pid, who) = line.split_once(' ').unwrap_or((line, ""));
        let state = if lives(pid) { "still runs" } else { "has ended" };
        writeln!(out, "    {who} ({pid}) {state}")?;
    }
    match expired.status {
        Some(status) => writeln!(out, "The error knows how the shell ended: {status}")?,
        None => writeln!(out, "The shell could not be killed.")?,
    }
    Ok(())
}

/// Whether it runs: a zombie does not.
fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, after)| after.chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}
