use std::ffi::OsString;
use std::io;
use std::ops::BitOr;
use std::time::{Duration, Instant};

use fork::{Child, ExitStatus};

use crate::error::{CalledProcessError, Error, Failed, StartError, TimeoutExpired};
use crate::redirect::{PIPE, Redirect};
use crate::run::DYING;
use crate::talk::{End, Talk};
use crate::{Command, CompletedProcess, Group, Popen, tree};

/// Several programs that run at the same time, each reading what the one before it writes: `a | b | c`.
///
/// Unlike the same line given to a shell, each has its arguments as they are, and each exit status is
/// there in the end. Made of [`Command`]s with the operator `|`. The first one's `input` is written, and
/// what has [`PIPE`] as an output is collected. A command in the middle that sends its output elsewhere
/// leaves nothing to read for the next one.
///
/// A program that goes on writing when its reader has ended is ended by `SIGPIPE`, as in a shell.
#[derive(Debug)]
#[must_use = "nothing is started before `run` or `check_output`"]
pub struct Pipeline {
    commands: Vec<Command>,
    pipefail: bool,
    check: bool,
    timeout: Option<Duration>,
}

/// A pipeline that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompletedPipeline {
    /// Each program, in the order of the pipeline: at least one.
    pub stages: Vec<CompletedProcess>,
    pipefail: bool,
}

impl CompletedPipeline {
    /// The last program's status; with [`Pipeline::pipefail`] that of the last one that failed, if any
    /// did.
    ///
    /// # Panics
    ///
    /// Never: there is at least one.
    pub fn status(&self) -> ExitStatus {
        self.decides().status
    }

    fn decides(&self) -> &CompletedProcess {
        let failed = |stage: &&CompletedProcess| self.pipefail && !stage.status.success();
        let last = self.stages.last();
        self.stages.iter().rfind(failed).or(last).expect("a pipeline has at least one program")
    }
}

impl Pipeline {
    pub(crate) fn of(first: Command) -> Pipeline {
        Pipeline { commands: vec![first], pipefail: false, check: false, timeout: None }
    }

    /// Whether one that fails makes the whole fail, and not only the last one: no, if nothing is said,
    /// as in a shell. One that was ended by `SIGPIPE` has failed, too.
    pub fn pipefail(mut self, pipefail: bool) -> Pipeline {
        self.pipefail = pipefail;
        self
    }

    /// Whether [`run`](Pipeline::run) makes a failure an error.
    pub fn check(mut self, check: bool) -> Pipeline {
        self.check = check;
        self
    }

    /// How long [`run`](Pipeline::run) waits for all of them; then they are killed, with all that they
    /// started. They are one process group of their own, as from [`Command::timeout`], which is
    /// for a command alone and means nothing here.
    pub fn timeout(mut self, timeout: Duration) -> Pipeline {
        self.timeout = Some(timeout);
        self
    }

    /// Runs them all, and waits until all have ended.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] when one can't be started: then those before it are ended. [`Error::Timeout`];
    /// [`Error::Called`] only with [`check`](Pipeline::check).
    pub fn run(mut self) -> Result<CompletedPipeline, Error> {
        let input = self.commands.first_mut().map(|first| std::mem::take(&mut first.input));
        let grace = self.commands.iter().map(|command| command.grace).max().unwrap_or_default();
        let Pipeline { commands, pipefail, check, timeout } = self;
        let popens = Started::all(commands, timeout.is_some())?;
        let mut talk = popens.talk();
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let children = popens.children();
        let mut end = talk.hold(&input.unwrap_or_default(), &children, deadline, grace);
        let timed_out = matches!(end, Ok(End::Timeout));
        if !matches!(end, Ok(End::Complete | End::HeldOpen)) {
            popens.kill();
            let dying = Instant::now().checked_add(DYING);
            let after = talk.hold(&[], &children, dying, grace);
            end = end.and(after);
        }
        let end = end?;
        let mut outputs = talk.outputs.into_iter().map(|output| output.bytes);
        let mut next = || outputs.next().unwrap_or_default();
        if timed_out {
            let mut expired = TimeoutExpired {
                args: popens.args(),
                timeout: timeout.unwrap_or_default(),
                stdout: Vec::new(),
                stderr: Vec::new(),
                status: None,
            };
            for child in children {
                (expired.stdout, expired.stderr) = (next(), next());
                expired.status = if end == End::Timeout { None } else { child.try_wait()? };
            }
            return Err(Error::Timeout(expired));
        }
        let stage = |popen: &Popen| {
            Ok(CompletedProcess {
                args: popen.args().to_vec(),
                status: popen.child().wait()?,
                stdout: next(),
                stderr: next(),
                held_open: end == End::HeldOpen,
            })
        };
        let stages = popens.0.iter().map(stage).collect::<Result<_, Error>>()?;
        let done = CompletedPipeline { stages, pipefail };
        if check && !done.status().success() {
            let CompletedProcess { args, status, stdout, stderr, .. } = done.decides().clone();
            return Err(Error::Called(CalledProcessError { args, status, stdout, stderr }));
        }
        Ok(done)
    }

    /// Runs them, and they are to succeed; gives what the last one wrote to its standard output.
    ///
    /// # Errors
    ///
    /// As [`run`](Pipeline::run), and [`Error::Called`].
    pub fn check_output(mut self) -> Result<Vec<u8>, Error> {
        if let Some(last) = self.commands.last_mut() {
            last.stdout = PIPE;
        }
        let mut done = self.check(true).run()?;
        Ok(done.stages.pop().map(|last| last.stdout).unwrap_or_default())
    }
}

/// `a | b | c`.
impl BitOr<Command> for Pipeline {
    type Output = Pipeline;

    fn bitor(mut self, next: Command) -> Pipeline {
        self.commands.push(next);
        self
    }
}

/// Programs of a pipeline that were started.
struct Started(Vec<Popen>);

impl Started {
    fn all(mut commands: Vec<Command>, in_group: bool) -> Result<Started, StartError> {
        let mut started = Started(Vec::new());
        for index in 0..commands.len() {
            let [command, rest @ ..] = &mut commands[index..] else { break };
            command.timeout = None;
            let linked = rest.first_mut().map_or(Ok(()), |next| link(command, next));
            if in_group && command.group.is_none() {
                // The first one's number is its group's, and is not given away before it is reaped.
                let leader = started.0.first().filter(|first| first.leads_group());
                command.group = Some(leader.map_or(Group::Own, |leader| Group::Of(leader.pid())));
            }
            let command = std::mem::replace(command, Command::new::<&str>([]));
            let popen = match linked {
                Ok(()) => command.popen(),
                Err(error) => {
                    Err(StartError::new(command.args, Failed::Redirect("stdout"), error, None))
                }
            };
            match popen {
                Ok(popen) => started.0.push(popen),
                Err(error) => {
                    started.kill();
                    started.children().iter().for_each(|child| drop(child.wait_timeout(DYING)));
                    return Err(error);
                }
            }
        }
        Ok(started)
    }

    fn children(&self) -> Vec<&Child> {
        self.0.iter().map(Popen::child).collect()
    }

    fn kill(&self) {
        let group = self.0.first().is_some_and(Popen::leads_group);
        // What can't be killed is told as what still runs.
        let _ = tree::kill(&self.children(), group);
    }

    /// The first one's stdin, and for each its stdout and stderr.
    fn talk(&self) -> Talk {
        let mut all = Talk::default();
        for popen in &self.0 {
            let talk = std::mem::take(&mut *popen.talk());
            all.stdin = all.stdin.or(talk.stdin);
            all.outputs.extend(talk.outputs);
        }
        all
    }

    fn args(&self) -> Vec<OsString> {
        let lines: Vec<_> = self.0.iter().map(|popen| popen.args().to_vec()).collect();
        lines.join(&OsString::from("|"))
    }
}

/// Makes one write what the next one reads, unless either was told otherwise: then the other one
/// finds, as in a shell, nothing to read, or nobody who reads.
fn link(command: &mut Command, next: &mut Command) -> io::Result<()> {
    let (reader, writer) = io::pipe()?;
    if let Redirect::Inherit | Redirect::Pipe = command.stdout {
        command.stdout = writer.into();
    }
    if let Redirect::Inherit = next.stdin {
        next.stdin = reader.into();
    }
    Ok(())
}
