// Wrong: it kills the shell, and leaves what that started behind.
// Refused by: at_the_limit_all_is_killed
// Told: what the script started still runs
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
        .process_group(0)
        .spawn()?;
    let mut stdout = child.stdout.take().unwrap();
    let output = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = output.clone();
    std::thread::spawn(move || {
        let mut buf = [0; 4096];
        while let Ok(n @ 1..) = stdout.read(&mut buf) {
            sink.lock().unwrap().extend_from_slice(&buf[..n]);
        }
        drop(sink);
    });
    let end = Instant::now() + limit;
    while child.try_wait()?.is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    let timed_out = child.try_wait()?.is_none();
    if timed_out {
        child.kill()?;
    }
    child.wait()?;
    // All of it if the script has ended, and what there is if not.
    while !timed_out && std::sync::Arc::strong_count(&output) > 1 {
        std::thread::yield_now();
    }
    let output = output.lock().unwrap().clone();
    Ok(Outcome { timed_out, output })
}
