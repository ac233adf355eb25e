// Wrong: it kills its own process group.
// Refused by: at_the_limit_all_is_killed
// Told: the caller was killed too
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub timed_out: bool,
    /// What it wrote to stdout until its end or until the limit.
    pub output: Vec<u8>,
}

/// Run `sh -c script` (stdin null, stderr inherited). At the limit kill everything that the script started.
/// Returns soon after the limit at the latest, and leaves no process and no zombie behind.
pub fn run_with_timeout(script: &str, limit: Duration) -> io::Result<Outcome> {
    let mut child = Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut output = Vec::new();
        stdout.read_to_end(&mut output).map(|_| output)
    });
    let end = Instant::now() + limit;
    while child.try_wait()?.is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    let timed_out = child.try_wait()?.is_none();
    if timed_out {
        unsafe { libc::killpg(libc::getpgrp(), libc::SIGKILL) };
    }
    child.wait()?;
    Ok(Outcome { timed_out, output: reader.join().unwrap()? })
}
