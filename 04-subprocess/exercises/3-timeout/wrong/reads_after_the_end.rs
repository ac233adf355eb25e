// Wrong: it reads when the script has ended.
// Refused by: a_chatty_script_is_not_stopped
// Told: you read only after its end
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
    let end = Instant::now() + limit;
    while child.try_wait()?.is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    let timed_out = child.try_wait()?.is_none();
    unsafe { libc::killpg(child.id() as i32, libc::SIGKILL) };
    child.wait()?;
    let mut output = Vec::new();
    stdout.read_to_end(&mut output)?;
    Ok(Outcome { timed_out, output })
}
