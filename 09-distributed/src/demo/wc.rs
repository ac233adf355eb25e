//! The real job: lines, words and bytes of files, counted by whoever works for the server.
//!
//! A task has the contents of some files with it. So any worker will do, on whatever machine, and what is counted is
//! what the master can read.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use distributed::{
    Cursor, Done, Manager, Outcome, PickleError, Put, QueueError, RemoteTasks, TaskQueue, Undone,
    Value, from_value, to_value,
};
use pool::wc::{Bar, Contents, Plan, Report};
use serde::{Deserialize, Serialize};

use crate::demo::options::{ABSENCE, Options};
use crate::demo::start::{Crew, secret};
use crate::demo::{Failure, TASKS};

/// A task, as it travels: in Python's terms `{'wc': {…}}`.
#[derive(Serialize, Deserialize)]
enum Task {
    #[serde(rename = "wc")]
    Count(Contents),
}

/// What a worker does with it.
pub(crate) fn work(task: Value) -> Result<Value, Undone> {
    let failed = |error: PickleError| Undone::Failed(error.to_string());
    let Task::Count(contents) = from_value(task).map_err(failed)?;
    let told = writeln!(io::stdout(), "run task wc of {} bytes...", contents.bytes);
    // Nobody listens any more.
    told.map_err(|_| Undone::Stop)?;
    to_value(&contents.count()).map_err(failed)
}

/// What the master does; true if all files could be read.
pub(crate) fn run(options: &Options) -> Result<bool, Failure> {
    let plan = Plan::new(&options.paths);
    let mut report = if options.connect {
        count(plan, &options.connect()?, ABSENCE, || Ok(()))?
    } else {
        let mut crew = Crew::new()?;
        let server = crew.serve()?;
        for _ in 0..2 {
            crew.start_silent(&["worker", "--stay", "--connect", &server.to_string()])?;
        }
        let manager = Manager::connect(server, &crew.key())?;
        count(plan, &manager, Duration::from_secs(2), || crew.check())?
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let complete = report.print(&mut out, &mut io::stderr())?;
    out.flush()?;
    Ok(complete)
}

/// How many tasks are on their way at once. A mebibyte in each is what the server has to hold.
const WINDOW: usize = 64;

/// Has it counted. `check` is asked in each second without a result whether to wait on.
fn count(
    plan: Plan,
    manager: &Manager,
    absence: Duration,
    mut check: impl FnMut() -> Result<(), Failure>,
) -> Result<Report, Failure> {
    let tasks = RemoteTasks::open(manager, TASKS, absence)?;
    let mut job = Job { tasks, name: format!("wc {}/", secret()?), open: BTreeMap::new() };
    let (mut rest, mut bar) = ((0..).zip(plan.contents()).peekable(), Bar::new(plan.bytes()));
    let (mut report, mut cursor, mut silent) = (Report::new(plan), Cursor::default(), 0_u32);
    loop {
        while job.open.len() < WINDOW
            && let Some((number, contents)) = rest.peek()
            && job.put(*number, contents)?.is_some()
        {
            job.open.extend(rest.next());
        }
        if job.open.is_empty() && rest.peek().is_none() {
            return Ok(report);
        }
        let results = job.tasks.results(&cursor, 1000, Duration::from_secs(1))?;
        silent = if results.is_empty() { silent + 1 } else { 0 };
        if silent > 0 {
            check()?;
        }
        if silent.is_power_of_two() {
            // A server that was started anew has forgotten the tasks, and its results begin anew.
            job.put_again()?;
            cursor = Cursor::default();
        }
        if silent == 8 {
            eprintln!("distributed: {} tasks wait; does a worker run?", job.open.len());
        }
        for done in results {
            // Others have results here, too.
            if let Some(contents) = job.take_off(&done) {
                bar.advance(contents.bytes);
                report.add(match done.outcome {
                    Outcome::Value(value) => from_value(value)?,
                    // Those who should have done it were killed, each of them.
                    Outcome::Dead { .. } => contents.count(),
                });
            }
            cursor = done.cursor;
        }
    }
}

/// The tasks of one master.
struct Job {
    tasks: RemoteTasks,
    /// How their ids begin, and nobody else's.
    name: String,
    /// Put, and without a result so far. Kept, as the server may forget them.
    open: BTreeMap<u64, Contents>,
}

impl Job {
    /// `None` if there is no room for it now.
    fn put(&mut self, number: u64, contents: &Contents) -> Result<Option<Put>, Failure> {
        let body = to_value(&Task::Count(contents.clone()))?;
        match self.tasks.put(&[(format!("{}{number}", self.name), body)]) {
            Ok(put) => Ok(put.first().copied()),
            Err(QueueError::Full) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts everything again, if the oldest one is forgotten. What is not forgotten is not doubled.
    fn put_again(&mut self) -> Result<(), Failure> {
        let open = std::mem::take(&mut self.open);
        for (number, contents) in &open {
            if self.put(*number, contents)? != Some(Put::New) {
                break;
            }
        }
        self.open = open;
        Ok(())
    }

    /// The task of a result, if it is one of ours and the first.
    fn take_off(&mut self, done: &Done) -> Option<Contents> {
        let number = done.id.strip_prefix(&self.name)?.parse().ok()?;
        self.open.remove(&number)
    }
}
