use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use fork::Child;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::{Error, sigpipe};

/// The largest pipe that a process may make without privileges (pipe(7)), and so the most that is
/// written or read at once.
const LARGE: usize = 1 << 20;
/// What an ordinary pipe holds. Where that much came at once, more is to come.
const ORDINARY: usize = 64 << 10;

/// Our ends of the pipes to a program, or to those of a pipeline, and how far we are.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    pub(crate) stdin: Option<PipeWriter>,
    pub(crate) outputs: Vec<Output>,
    /// What is still to be written, when a timeout came in between.
    rest: Vec<u8>,
    begun: bool,
}

/// A pipe that we read, and what came out of it.
#[derive(Debug)]
pub(crate) struct Output {
    /// `None` once its end was reached.
    pub(crate) pipe: Option<PipeReader>,
    pub(crate) bytes: Vec<u8>,
    enlarged: bool,
}

impl From<Option<PipeReader>> for Output {
    fn from(pipe: Option<PipeReader>) -> Output {
        Output { pipe, bytes: Vec::new(), enlarged: false }
    }
}

/// How a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// All programs ended, and all that could be read was.
    Complete,
    /// All programs ended, and others held their pipes open for longer than the grace.
    HeldOpen,
    /// The deadline came first. It can be taken up again.
    Timeout,
}

impl Talk {
    /// Whether there is nothing to be said or heard.
    pub(crate) fn is_silent(&self) -> bool {
        self.stdin.is_none() && self.outputs.iter().all(|output| output.pipe.is_none())
    }

    /// Closes our end of stdin if no conversation has begun that would go on writing to it.
    pub(crate) fn close_unused_stdin(&mut self) {
        if !self.begun {
            self.stdin = None;
        }
    }

    /// Writes `input` and reads all outputs, at the same time, until the programs have ended.
    ///
    /// One thread, which waits for whatever is ready first: a pipe to be written, one to be read, an
    /// end, a deadline. All pipes are non-blocking, because "ready" promises no more than one byte.
    pub(crate) fn hold(
        &mut self,
        input: &[u8],
        children: &[&Child],
        deadline: Option<Instant>,
        grace: Duration,
    ) -> Result<End, Error> {
        if self.begun && !input.is_empty() {
            return Err(Error::SecondInput);
        }
        self.begin(input).map_err(Error::Talk)?;
        let kept = std::mem::take(&mut self.rest);
        let mut unsent = if kept.is_empty() { input } else { &kept };
        let end = self.converse(&mut unsent, children, deadline, grace);
        if !matches!(end, Ok(End::Complete | End::HeldOpen)) {
            self.rest = unsent.to_vec();
        }
        end
    }

    fn begin(&mut self, input: &[u8]) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        if let Some(pipe) = &self.stdin {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
            if input.len() > ORDINARY {
                enlarge(pipe);
            }
        }
        for pipe in self.outputs.iter().filter_map(|output| output.pipe.as_ref()) {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        self.begun = true;
        Ok(())
    }

    fn converse(
        &mut self,
        unsent: &mut &[u8],
        children: &[&Child],
        deadline: Option<Instant>,
        grace: Duration,
    ) -> Result<End, Error> {
        let mut running = children.to_vec();
        // When whoever holds the pipes open after the programs' end has had its time.
        let mut cut = None;
        loop {
            if unsent.is_empty() {
                // The program reads the end of the file.
                self.stdin = None;
            }
            let ready = self.wait(&running, [deadline, cut].into_iter().flatten().min())?;
            let mut ended = ready.children.into_iter();
            running.retain(|_| !ended.next().unwrap_or_default());
            let all_ended = running.is_empty() && cut.is_none();
            if ready.stdin {
                self.write(unsent).map_err(Error::Talk)?;
            }
            for (output, ready) in self.outputs.iter_mut().zip(ready.outputs) {
                // What was written just before the end may have come after the look at the pipe.
                if ready || all_ended {
                    output.read().map_err(Error::Talk)?;
                }
            }
            let open = self.outputs.iter().any(|output| output.pipe.is_some());
            let now = Instant::now();
            if all_ended {
                cut = now.checked_add(grace);
            }
            let end = match (running.is_empty(), open) {
                (true, false) => End::Complete,
                (true, true) if cut.is_some_and(|cut| cut <= now) => End::HeldOpen,
                _ if deadline.is_some_and(|deadline| deadline <= now) => return Ok(End::Timeout),
                _ => continue,
            };
            self.stdin = None;
            self.outputs.iter_mut().for_each(|output| output.pipe = None);
            return Ok(end);
        }
    }

    /// Blocks until something is ready, or that moment.
    fn wait(&self, running: &[&Child], until: Option<Instant>) -> Result<Ready, Error> {
        let mut fds = Vec::with_capacity(running.len() + 1 + self.outputs.len());
        for child in running {
            fds.push(PollFd::new(child.sentinel()?, PollFlags::POLLIN));
        }
        fds.extend(self.stdin.iter().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)));
        let open = self.outputs.iter().filter_map(|output| output.pipe.as_ref());
        fds.extend(open.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            match poll(&mut fds, left.map_or(PollTimeout::NONE, round_up)) {
                Ok(_) => break,
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(Error::Talk(errno.into())),
            }
        }
        // An error or a hang-up is ready, too: the next write or read tells which.
        let mut ready = fds.iter().map(|fd| fd.any().unwrap_or(true));
        let mut next = || ready.next().unwrap_or_default();
        Ok(Ready {
            children: running.iter().map(|_| next()).collect(),
            stdin: self.stdin.is_some() && next(),
            outputs: self.outputs.iter().map(|it| it.pipe.is_some() && next()).collect(),
        })
    }

    /// Writes what the pipe takes.
    fn write(&mut self, unsent: &mut &[u8]) -> io::Result<()> {
        let Some(pipe) = &mut self.stdin else { return Ok(()) };
        match sigpipe::write(pipe, &unsent[..unsent.len().min(LARGE)]) {
            Ok(written) => *unsent = &unsent[written..],
            // It does not want to read more, and that is its right: `head` has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => *unsent = &[],
            Err(error) if is_no_error(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// What poll(2) found.
struct Ready {
    children: Vec<bool>,
    stdin: bool,
    outputs: Vec<bool>,
}

impl Output {
    /// Reads what there is, or so much that the other pipes get their turn.
    fn read(&mut self) -> io::Result<()> {
        let Some(pipe) = &self.pipe else { return Ok(()) };
        let before = self.bytes.len();
        if before >= LARGE && self.bytes.capacity() - before < LARGE {
            self.bytes.reserve(3 * before);
            fork::prefer_huge_pages(&mut self.bytes);
        }
        match pipe.take(LARGE as u64).read_to_end(&mut self.bytes) {
            Ok(LARGE) => {}
            Ok(_) => self.pipe = None,
            Err(error) if is_no_error(&error) => {}
            Err(error) => return Err(error),
        }
        if self.bytes.len() - before >= ORDINARY && !self.enlarged {
            self.enlarged = true;
            self.pipe.iter().for_each(enlarge);
        }
        Ok(())
    }
}

/// Nothing is lost where it is refused, because the user's pipes have too many pages already.
fn enlarge(pipe: impl AsFd) {
    let _ = fcntl(pipe, FcntlArg::F_SETPIPE_SZ(LARGE as i32));
}

fn is_no_error(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// In milliseconds: a poll that returns a fraction early would make its loop spin.
fn round_up(time: Duration) -> PollTimeout {
    let millis = i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
    PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
}
