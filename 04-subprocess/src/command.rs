use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::BitOr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::redirect::{ErrRedirect, PIPE, Redirect};
use crate::{Pipeline, Popen, StartError, start};

/// How long [`communicate`](Popen::communicate) goes on reading after the program has ended, while a
/// process that it started holds the pipes open: one second. [`Command::grace`] changes it.
pub const GRACE: Duration = Duration::from_secs(1);

/// A program to be run, its arguments, and what is to be different for it.
///
/// Unlike a [`std::process::Command`], it knows of input, timeouts, pipelines and process groups, and
/// closes what the program was not meant to inherit. It is used up when the program starts, because
/// the files that it was given become the program's.
///
/// The first word is the program: a path if it contains `/`, or else looked for in the `PATH` that the
/// program itself gets. The others are its arguments, handed over as they are: no shell reads them.
#[derive(Debug)]
#[must_use = "nothing is started before `run`, `call`, `check_output` or `popen`"]
pub struct Command {
    pub(crate) args: Vec<OsString>,
    /// Whether it starts from an empty environment, and what is then set, or (`None`) removed.
    pub(crate) env_cleared: bool,
    pub(crate) env: BTreeMap<OsString, Option<OsString>>,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) stdin: Redirect,
    pub(crate) stdout: Redirect,
    pub(crate) stderr: ErrRedirect,
    /// Further descriptors, by their numbers in the child.
    pub(crate) fds: BTreeMap<RawFd, OwnedFd>,
    pub(crate) close_fds: bool,
    pub(crate) restore_signals: bool,
    pub(crate) group: Option<Group>,
    pub(crate) input: Vec<u8>,
    pub(crate) check: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) kill_tree: bool,
    pub(crate) grace: Duration,
}

/// The process group and session of a program: who gets the terminal's Ctrl-C, and whom one signal
/// reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// This program's.
    Inherited,
    /// A new one, led by the program.
    Own,
    /// The existing one with this number, in this program's session.
    Of(i32),
    /// A new one in a session of its own, without a terminal.
    Session,
}

impl Command {
    /// A program, by its name or path, and its arguments.
    pub fn new<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
        Command {
            args: args.into_iter().map(|arg| arg.as_ref().to_owned()).collect(),
            env_cleared: false,
            env: BTreeMap::new(),
            cwd: None,
            stdin: Redirect::Inherit,
            stdout: Redirect::Inherit,
            stderr: ErrRedirect::To(Redirect::Inherit),
            fds: BTreeMap::new(),
            close_fds: true,
            restore_signals: true,
            group: None,
            input: Vec::new(),
            check: false,
            timeout: None,
            kill_tree: true,
            grace: GRACE,
        }
    }

    /// A line for `/bin/sh -c`, as with `shell=True`. Whatever is in it, the shell obeys: put nothing
    /// into it that comes from elsewhere. [`arg`](Command::arg) adds what the line sees as `$1`, `$2`.
    pub fn shell(line: impl AsRef<OsStr>) -> Command {
        Command::new([OsStr::new("/bin/sh"), OsStr::new("-c"), line.as_ref(), OsStr::new("sh")])
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Command {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Sets a variable of the program's environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Command {
        self.env.insert(name.as_ref().to_owned(), Some(value.as_ref().to_owned()));
        self
    }

    /// Takes a variable out of the program's environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Command {
        self.env.insert(name.as_ref().to_owned(), None);
        self
    }

    /// Starts from an empty environment, not from this program's.
    pub fn env_clear(mut self) -> Command {
        self.env_cleared = true;
        self.env.clear();
        self
    }

    /// The program's working directory. A relative path of the program starts there, too.
    pub fn cwd(mut self, directory: impl AsRef<Path>) -> Command {
        self.cwd = Some(directory.as_ref().to_owned());
        self
    }

    /// Where its standard input comes from: this program's, if nothing is said.
    pub fn stdin(mut self, from: impl Into<Redirect>) -> Command {
        self.stdin = from.into();
        self
    }

    /// Where its standard output goes.
    pub fn stdout(mut self, to: impl Into<Redirect>) -> Command {
        self.stdout = to.into();
        self
    }

    /// Where its standard error goes; with [`STDOUT`](crate::STDOUT) where standard output goes.
    pub fn stderr(mut self, to: impl Into<ErrRedirect>) -> Command {
        self.stderr = to.into();
        self
    }

    /// Collects both outputs.
    pub fn capture_output(self) -> Command {
        self.stdout(PIPE).stderr(PIPE)
    }

    /// What [`run`](Command::run) writes to its standard input, which becomes a pipe.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Command {
        self.input = bytes.into();
        self.stdin(PIPE)
    }

    /// Hands an open file over, under this number.
    pub fn pass_fd(mut self, fd: impl Into<OwnedFd>, number: RawFd) -> Command {
        self.fds.insert(number, fd.into());
        self
    }

    /// Hands open files over, each under the number that it has here.
    pub fn pass_fds<F: Into<OwnedFd>>(self, fds: impl IntoIterator<Item = F>) -> Command {
        fds.into_iter().map(Into::into).fold(self, |command, fd: OwnedFd| {
            let number = fd.as_raw_fd();
            command.pass_fd(fd, number)
        })
    }

    /// Whether the program loses every descriptor from 3 on that it was not passed: yes, if nothing is
    /// said. Without that it inherits those that are not close-on-exec.
    pub fn close_fds(mut self, close: bool) -> Command {
        self.close_fds = close;
        self
    }

    /// Whether the program gets an empty signal mask, and the default action for `SIGPIPE`, which
    /// Rust's programs ignore, and for `SIGXFSZ`: yes, if nothing is said.
    pub fn restore_signals(mut self, restore: bool) -> Command {
        self.restore_signals = restore;
        self
    }

    /// Its process group: this program's if nothing is said, and with a [`timeout`](Command::timeout)
    /// one of its own.
    pub fn process_group(mut self, group: Group) -> Command {
        self.group = Some(group);
        self
    }

    /// Starts it in a session of its own, without this terminal.
    pub fn new_session(self) -> Command {
        self.process_group(Group::Session)
    }

    /// Whether [`run`](Command::run) makes an exit code other than 0, or a signal, an error.
    pub fn check(mut self, check: bool) -> Command {
        self.check = check;
        self
    }

    /// How long [`run`](Command::run) waits for it. After that it is killed, and with it everything
    /// that it started: so it gets a process group of its own, as from timeout(1), and for the
    /// terminal it is a job in the background, which Ctrl-C does not reach and which can't read from
    /// it. [`process_group`](Command::process_group) has the last word.
    pub fn timeout(mut self, timeout: Duration) -> Command {
        self.timeout = Some(timeout);
        self
    }

    /// Whether a timeout ends what the program started, too: yes, if nothing is said.
    pub fn kill_tree(mut self, tree: bool) -> Command {
        self.kill_tree = tree;
        self
    }

    /// How long reading goes on after the program's end while others hold its pipes open: [`GRACE`],
    /// if nothing is said. With `Duration::MAX` until they close them, as Python does.
    pub fn grace(mut self, grace: Duration) -> Command {
        self.grace = grace;
        self
    }

    /// Starts it, and does not wait. `input`, `check` and `timeout` mean nothing here: they are for
    /// [`run`](Command::run).
    ///
    /// # Errors
    ///
    /// [`StartError`], and then nothing runs.
    pub fn popen(self) -> Result<Popen, StartError> {
        start::start(self)
    }

    /// The group that it will have, if it leads one.
    pub(crate) fn leads_group(&self) -> bool {
        matches!(self.group(), Group::Own | Group::Session)
    }

    pub(crate) fn group(&self) -> Group {
        let with_timeout = self.timeout.is_some() && self.kill_tree;
        self.group.unwrap_or(if with_timeout { Group::Own } else { Group::Inherited })
    }
}

/// `a | b`: what `a` writes, `b` reads.
impl BitOr for Command {
    type Output = Pipeline;

    fn bitor(self, next: Command) -> Pipeline {
        Pipeline::of(self) | next
    }
}
