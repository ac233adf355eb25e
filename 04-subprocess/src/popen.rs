use std::ffi::OsString;
use std::io::{PipeReader, PipeWriter};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use fork::{Child, ExitStatus, Signal, WaitError};

use crate::error::{Error, TimeoutExpired};
use crate::talk::{End, Talk};
use crate::{Command, CompletedProcess, tree};

/// A program that was started and may still run.
///
/// Unlike a [`std::process::Child`], it is shared: one thread may wait for it or talk with it while
/// another ends it. All who wait get the same status, and a signal never reaches a stranger who has
/// its number by now.
///
/// # Who reaps
///
/// Dropping it neither ends the program nor waits for it. What has ended by then is reaped at once; the
/// rest at the next start of a program, or drop of another `Popen`, after its end. Our ends of its
/// pipes are closed, so it reads the end of its input, and is ended by its next write.
#[derive(Debug)]
pub struct Popen {
    args: Vec<OsString>,
    child: Child,
    talk: Mutex<Talk>,
    grace: Duration,
    leads_group: bool,
}

impl Popen {
    pub(crate) fn new(command: Command, child: Child, talk: Talk) -> Popen {
        let leads_group = command.leads_group();
        let Command { args, grace, .. } = command;
        Popen { args, child, talk: Mutex::new(talk), grace, leads_group }
    }

    /// The program and its arguments.
    pub fn args(&self) -> &[OsString] {
        &self.args
    }

    /// Its process id. After it was reaped, the number may be another process's.
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// Our end of its standard input, if that is [`PIPE`](crate::PIPE), the first time. Dropped, it is
    /// closed, and the program reads the end of the file.
    pub fn take_stdin(&self) -> Option<PipeWriter> {
        self.talk().stdin.take()
    }

    /// Our end of its standard output, if that is [`PIPE`](crate::PIPE), the first time.
    pub fn take_stdout(&self) -> Option<PipeReader> {
        self.talk().outputs[0].pipe.take()
    }

    /// Our end of its standard error, if that is [`PIPE`](crate::PIPE), the first time.
    pub fn take_stderr(&self) -> Option<PipeReader> {
        self.talk().outputs[1].pipe.take()
    }

    /// How it ended, if it has; does not wait.
    ///
    /// # Errors
    ///
    /// [`WaitError`] when somebody else in this process has reaped it.
    pub fn poll(&self) -> Result<Option<ExitStatus>, WaitError> {
        self.child.try_wait()
    }

    /// How it ended, in Python's notation: the code, or the signal's number made negative. `None` as
    /// long as it runs, or where that can't be told. Unlike Python's attribute, it looks for itself.
    pub fn returncode(&self) -> Option<i32> {
        self.poll().ok().flatten().map(ExitStatus::exitcode)
    }

    /// Waits for its end. Standard input is closed first, unless it was taken or `communicate` has
    /// begun to write to it: a program that waits for its end would be waited for in vain.
    ///
    /// A program that writes more into a [`PIPE`](crate::PIPE) than that holds waits for a reader, and
    /// we for it: [`communicate`](Popen::communicate) does not.
    ///
    /// # Errors
    ///
    /// As [`poll`](Popen::poll).
    pub fn wait(&self) -> Result<ExitStatus, WaitError> {
        self.close_stdin();
        self.child.wait()
    }

    /// The same for so long at most; `None` if it has not ended by then. It wakes when the program
    /// ends, and not at the next look.
    ///
    /// # Errors
    ///
    /// As [`poll`](Popen::poll).
    pub fn wait_timeout(&self, timeout: Duration) -> Result<Option<ExitStatus>, WaitError> {
        self.close_stdin();
        self.child.wait_timeout(timeout)
    }

    /// Writes `input` to its standard input and closes that, collects what it writes, and waits for
    /// its end: all at the same time, so that no full pipe can stop either side.
    ///
    /// A program that does not read all of it is no error. Once it has ended, processes that it started
    /// and that hold its pipes open have [`Command::grace`] to close them.
    ///
    /// # Errors
    ///
    /// [`Error::Wait`], [`Error::Talk`], or [`Error::SecondInput`].
    pub fn communicate(&self, input: &[u8]) -> Result<CompletedProcess, Error> {
        self.communicate_until(input, None)
    }

    /// The same for so long at most. The error carries what was collected so far; the program runs
    /// on, and `communicate` with no input goes on where this one ended, with nothing lost.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], or as [`communicate`](Popen::communicate).
    pub fn communicate_timeout(
        &self,
        input: &[u8],
        timeout: Duration,
    ) -> Result<CompletedProcess, Error> {
        self.communicate_until(input, Some(timeout))
    }

    fn communicate_until(
        &self,
        input: &[u8],
        timeout: Option<Duration>,
    ) -> Result<CompletedProcess, Error> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut talk = self.talk();
        // Without pipes and a deadline there is nothing to watch.
        let end = match deadline {
            None if talk.is_silent() => End::Complete,
            _ => talk.hold(input, &[&self.child], deadline, self.grace)?,
        };
        if end == End::Timeout {
            return Err(Error::Timeout(TimeoutExpired {
                args: self.args.clone(),
                timeout: timeout.unwrap_or_default(),
                stdout: talk.outputs[0].bytes.clone(),
                stderr: talk.outputs[1].bytes.clone(),
                status: None,
            }));
        }
        let mut outputs = talk.outputs.iter_mut().map(|it| std::mem::take(&mut it.bytes));
        let mut next = || outputs.next().unwrap_or_default();
        let (stdout, stderr) = (next(), next());
        Ok(CompletedProcess {
            args: self.args.clone(),
            status: self.child.wait()?,
            stdout,
            stderr,
            held_open: end == End::HeldOpen,
        })
    }

    /// Sends it a signal. If it has ended, nobody gets one.
    ///
    /// # Errors
    ///
    /// [`WaitError::NotSent`] when the kernel refuses, as for a program of another user.
    pub fn send_signal(&self, signal: Signal) -> Result<(), WaitError> {
        self.child.signal(signal)
    }

    /// Asks it to end (`SIGTERM`).
    ///
    /// # Errors
    ///
    /// As [`send_signal`](Popen::send_signal).
    pub fn terminate(&self) -> Result<(), WaitError> {
        self.send_signal(Signal::SIGTERM)
    }

    /// Ends it (`SIGKILL`), and nothing that it started.
    ///
    /// # Errors
    ///
    /// As [`send_signal`](Popen::send_signal).
    pub fn kill(&self) -> Result<(), WaitError> {
        self.send_signal(Signal::SIGKILL)
    }

    /// Ends it, and everything that it started: all in the process group that it leads (see
    /// [`Command::process_group`]), and all its descendants, whatever group and session they went to.
    ///
    /// Who escapes: a process that left the group *and* whose parent has ended (a daemon), and one that
    /// took on another user. Only a cgroup or a pid namespace holds those.
    ///
    /// # Errors
    ///
    /// As [`send_signal`](Popen::send_signal).
    pub fn kill_tree(&self) -> Result<(), WaitError> {
        tree::kill(&[&self.child], self.leads_group)
    }

    pub(crate) fn child(&self) -> &Child {
        &self.child
    }

    pub(crate) fn leads_group(&self) -> bool {
        self.leads_group
    }

    pub(crate) fn talk(&self) -> MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close_stdin(&self) {
        match self.talk.try_lock() {
            Ok(mut talk) => talk.close_unused_stdin(),
            Err(TryLockError::Poisoned(talk)) => talk.into_inner().close_unused_stdin(),
            // Another thread talks with it, and closes it.
            Err(TryLockError::WouldBlock) => {}
        }
    }
}
