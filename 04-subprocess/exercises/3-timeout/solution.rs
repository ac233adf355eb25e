use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
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
    let reader = std::thread::spawn(move || {
        let mut output = Vec::new();
        stdout.read_to_end(&mut output).map(|_| output)
    });
    // Looks, and does not reap: as long as the shell is there, as a zombie at least, the group's number is its own, and
    // the kill below meets no stranger.
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    let pid = Pid::from_raw(child.id() as i32);
    let runs = || waitid(Id::Pid(pid), look) == Ok(WaitStatus::StillAlive);
    let end = Instant::now() + limit;
    while runs() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    let timed_out = runs();
    // In any case: the shell may have ended, and what it started in the background not.
    unsafe { libc::killpg(pid.as_raw(), libc::SIGKILL) };
    child.wait()?;
    Ok(Outcome { timed_out, output: reader.join().unwrap()? })
}
