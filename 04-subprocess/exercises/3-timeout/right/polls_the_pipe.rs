// Right: no thread: it polls the pipe until its end or the limit, and then kills the group.
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub timed_out: bool,
    pub output: Vec<u8>,
}

/// The limit is one for all that the script started: it has ended when nobody holds its stdout.
pub fn run_with_timeout(script: &str, limit: Duration) -> io::Result<Outcome> {
    let end = Instant::now() + limit;
    let mut child = Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let mut stdout = child.stdout.take().unwrap();
    let (mut output, mut buf) = (Vec::new(), [0; 8192]);
    let timed_out = loop {
        let left = end.saturating_duration_since(Instant::now());
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        if poll(&mut [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)], left)? == 0 {
            break true;
        }
        match stdout.read(&mut buf)? {
            0 => break false,
            n => output.extend_from_slice(&buf[..n]),
        }
    };
    if timed_out {
        unsafe { libc::killpg(child.id() as i32, libc::SIGKILL) };
    }
    child.wait()?;
    // What was written between the last look and the kill.
    stdout.read_to_end(&mut output)?;
    Ok(Outcome { timed_out, output })
}
