//! The program's standard descriptors, from the other end.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::folder;
use crate::spec::Spec;

/// An output of the program, kept up to a cap. It is never read to its end: a grandchild may hold
/// that open for ever.
#[derive(Default)]
pub(crate) struct Output {
    pub pipe: Option<OwnedFd>,
    pub kept: Vec<u8>,
    pub truncated: bool,
}

impl Output {
    /// Takes what is there, at most so much that a flood leaves time for other things. Returns
    /// where in `kept` the new bytes begin.
    pub(crate) fn take(&mut self, cap: usize) -> io::Result<usize> {
        let before = self.kept.len();
        let mut buffer = [0; 64 << 10];
        for _ in 0..16 {
            let Some(pipe) = &self.pipe else { break };
            match nix::unistd::read(pipe, &mut buffer) {
                // A terminal says EIO when nobody has its other side open.
                Ok(0) | Err(Errno::EIO) => self.pipe = None,
                Ok(count) => {
                    let room = cap.saturating_sub(self.kept.len()).min(count);
                    self.kept.extend(&buffer[..room]);
                    self.truncated |= room < count;
                }
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(before)
    }
}

/// The program's standard input. A program that does not read must not keep the supervisor waiting.
#[derive(Default)]
pub(crate) struct Input {
    pub pipe: Option<OwnedFd>,
    pub pending: Vec<u8>,
    pub closing: bool,
}

impl Input {
    /// Writes what fits.
    pub(crate) fn give(&mut self) {
        while let (Some(pipe), false) = (&self.pipe, self.pending.is_empty()) {
            match nix::unistd::write(pipe, &self.pending) {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return,
                // Nobody reads any more.
                Err(_) => self.pipe = None,
            }
        }
        if self.closing {
            self.pipe = None;
        }
    }
}

/// What of a terminal or of pipes is ours, once the program has been started.
pub(crate) struct Plan {
    terminal: Option<OwnedFd>,
}

/// Sets the program's side on its command.
pub(crate) fn plan(command: &mut Command, spec: &Spec, folder: &Path) -> io::Result<Plan> {
    if spec.terminal {
        let pty = nix::pty::openpty(None, None)?;
        command.stdin(pty.slave.try_clone()?).stdout(pty.slave.try_clone()?).stderr(pty.slave);
        return Ok(Plan { terminal: Some(pty.master) });
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(bytes) = &spec.stdin {
        std::fs::write(folder.join(folder::STDIN), bytes)?;
        command.stdin(File::open(folder.join(folder::STDIN))?);
    } else {
        command.stdin(Stdio::piped());
    }
    Ok(Plan { terminal: None })
}

impl Plan {
    /// Takes our side from the started program.
    pub(crate) fn take(self, child: &mut Child) -> io::Result<(Input, [Output; 2])> {
        let mut stdin = child.stdin.take().map(OwnedFd::from);
        let mut stdout = child.stdout.take().map(OwnedFd::from);
        let stderr = child.stderr.take().map(OwnedFd::from);
        if let Some(terminal) = self.terminal {
            stdin = Some(terminal.try_clone()?);
            stdout = Some(terminal);
        }
        for pipe in [&stdin, &stdout, &stderr].into_iter().flatten() {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        let output = |pipe| Output { pipe, ..Output::default() };
        Ok((Input { pipe: stdin, ..Input::default() }, [output(stdout), output(stderr)]))
    }
}
