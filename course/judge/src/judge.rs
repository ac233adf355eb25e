use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use crate::spec::Spec;
use crate::{Limit, Report, Running, Scenario};

/// A program to be run and looked at from outside.
///
/// Unlike a [`std::process::Command`], it always comes to an end, and so does everything that the
/// program starts: a deadline holds for all of it, and nothing is left running. The program runs in
/// a session of its own, below a supervisor that adopts its orphans.
///
/// ```no_run
/// use judge::Judge;
///
/// let report = Judge::program("/bin/echo").arg("hello").run();
/// report.assert_clean();
/// assert_eq!(report.stdout(), "hello\n");
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing runs before `run` or `start`"]
pub struct Judge {
    spec: Spec,
}

impl Judge {
    /// A program by its path.
    pub fn program(path: impl AsRef<OsStr>) -> Judge {
        Judge::new(Spec { program: path.as_ref().as_bytes().to_vec(), ..Spec::default() })
    }

    /// A scenario of this very test binary: see [`scenario!`](crate::scenario).
    pub fn scenario(scenario: &Scenario) -> Judge {
        Judge::new(Spec { scenario: scenario.name.to_owned(), ..Spec::default() })
    }

    /// Runs the scenario in another build of this program.
    pub(crate) fn other_program(mut self, path: &Path) -> Judge {
        self.spec.program = path.as_os_str().as_bytes().to_vec();
        self
    }

    fn new(spec: Spec) -> Judge {
        let (deadline, output_cap) = (Duration::from_secs(20), 4 << 20);
        Judge { spec: Spec { deadline, output_cap, stdin: Some(Vec::new()), ..spec } }
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Judge {
        self.spec.arguments.push(argument.as_ref().as_bytes().to_vec());
        self
    }

    /// More arguments.
    pub fn args<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Judge {
        arguments.into_iter().fold(self, Judge::arg)
    }

    /// Sets a variable of the program's environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Judge {
        let pair = (name.as_ref().as_bytes().to_vec(), value.as_ref().as_bytes().to_vec());
        self.spec.environment.push(pair);
        self
    }

    /// Starts from an empty environment.
    pub fn env_clear(mut self) -> Judge {
        self.spec.environment_cleared = true;
        self
    }

    /// What the program reads from its standard input, which is empty without this.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Judge {
        self.spec.stdin = Some(bytes.into());
        self
    }

    /// The working directory.
    pub fn dir(mut self, path: impl AsRef<Path>) -> Judge {
        self.spec.directory = Some(path.as_ref().as_os_str().as_bytes().to_vec());
        self
    }

    /// How long it may take, all in all: 20 seconds without this. `JUDGE_PATIENCE`, a factor in the
    /// environment of the test, multiplies every deadline for a slow machine.
    pub fn deadline(mut self, deadline: Duration) -> Judge {
        self.spec.deadline = deadline;
        self
    }

    /// How many bytes of each output are kept, 4 MiB without this. What is beyond is dropped, and
    /// the report says so.
    pub fn output_cap(mut self, bytes: u64) -> Judge {
        self.spec.output_cap = bytes;
        self
    }

    /// Bounds what the program may take.
    pub fn limit(mut self, limit: Limit) -> Judge {
        self.spec.limits.push(limit);
        self
    }

    /// The checks that must report for a pass: see [`check`](crate::check).
    pub fn declare<S: Into<String>>(mut self, checks: impl IntoIterator<Item = S>) -> Judge {
        self.spec.declared.extend(checks.into_iter().map(Into::into));
        self
    }

    /// Gives the program a terminal for its three standard descriptors; its output is then all in
    /// [`Report::stdout`], with the terminal's line ends.
    pub fn terminal(mut self, terminal: bool) -> Judge {
        self.spec.terminal = terminal;
        self
    }

    /// Runs it in namespaces of its own, as far as this machine allows that: of pids, so that it can
    /// neither see nor hit anybody outside, and the kernel ends everything in it at once; of IPC
    /// objects; and of mounts, for its own `/proc` and `/dev/shm`. The pids that the program prints
    /// are then the namespace's. [`Report::means`] says what was possible.
    pub fn isolate(mut self) -> Judge {
        self.spec.isolated = true;
        self
    }

    /// Isolates it, and cuts it off as well: it reaches nobody but itself on a network, and can
    /// write no file but below its temporary directory. For what you don't trust.
    ///
    /// Where the machine allows no namespaces it runs all the same, and [`Report::means`] says so.
    pub fn confine(mut self) -> Judge {
        self.spec.confined = true;
        self.isolate()
    }

    /// Runs it to its end, or to the deadline's.
    ///
    /// # Panics
    ///
    /// When the supervisor itself can't be started: then nothing was judged.
    pub fn run(self) -> Report {
        Running::start(self.spec).finish()
    }

    /// Starts it, for a test that acts while it runs. Standard input stays open.
    ///
    /// # Panics
    ///
    /// When the supervisor itself can't be started.
    pub fn start(mut self) -> Running {
        if self.spec.stdin.as_ref().is_some_and(Vec::is_empty) {
            self.spec.stdin = None;
        }
        Running::start(self.spec)
    }
}
