//! The real job: lines, words and bytes of files, counted by whoever works for the server.
//!
//! A task has the contents of some files with it. So any worker will do, on whatever machine, and what is counted is
//! what the master can read.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::iter::Peekable;
use std::time::Duration;

use distributed::{
    CallError, Cursor, Done, Manager, Outcome, PickleError, QueueError, RemoteTasks, TaskQueue,
    Undone, Value, from_value, to_value,
};
use pool::wc::{Bar, Contents, Plan, Report};
use serde::{Deserialize, Serialize};

use crate::demo::options::Options;
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
    let mut report = if options.has_server() {
        count(plan, options.open_tasks()?, || Ok(()))?
    } else {
        let mut crew = Crew::new()?;
        let server = crew.serve()?;
        for _ in 0..2 {
            crew.start_silent(&["worker", "--stay", "--connect", &server.to_string()])?;
        }
        let manager = Manager::connect(server, &crew.key())?;
        let tasks = RemoteTasks::open(&manager, TASKS, Duration::from_secs(2))?;
        count(plan, Box::new(tasks), || crew.check())?
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
    tasks: Box<dyn TaskQueue>,
    mut check: impl FnMut() -> Result<(), Failure>,
) -> Result<Report, Failure> {
    let (mut rest, mut bar) = ((0..).zip(plan.contents()).peekable(), Bar::new(plan.bytes()));
    let (mut job, mut report, mut silent) = (Job::new(tasks)?, Report::new(plan), 0_u32);
    while !job.open.is_empty() || rest.peek().is_some() {
        let results = match job.turn(&mut rest) {
            Err(QueueError::Forgotten) => {
                job.forgotten = true;
                continue;
            }
            results => results?,
        };
        if results.is_empty() {
            silent += 1;
            check()?;
            if silent >= 8 && silent.is_power_of_two() {
                eprintln!("distributed: {} tasks wait; does a worker run?", job.open.len());
                // Or have they been lost, in a server that was not as durable as it should be?
                job.forgotten = true;
            }
            continue;
        }
        silent = 0;
        for done in results {
            // Others have results here, too.
            let Some(contents) = job.take_off(&done) else { continue };
            bar.advance(contents.bytes);
            report.add(match done.outcome {
                Outcome::Value(value) => from_value(value)?,
                // Those who should have done it were killed, each of them.
                Outcome::Dead { .. } => contents.count(),
            });
        }
    }
    Ok(report)
}

/// The tasks of one master.
struct Job {
    tasks: Box<dyn TaskQueue>,
    /// How their ids begin, and nobody else's.
    name: String,
    /// Put, and without a result so far. Kept, as a server that ends takes them along.
    open: BTreeMap<u64, Contents>,
    cursor: Cursor,
    /// They must be put again.
    forgotten: bool,
}

impl Job {
    fn new(tasks: Box<dyn TaskQueue>) -> io::Result<Job> {
        let name = format!("wc {}/", secret()?);
        Ok(Job { tasks, name, open: BTreeMap::new(), cursor: Cursor::default(), forgotten: false })
    }

    /// Puts what there is room for, and waits for results, a second at most.
    fn turn(
        &mut self,
        rest: &mut Peekable<impl Iterator<Item = (u64, Contents)>>,
    ) -> Result<Vec<Done>, QueueError> {
        if self.forgotten {
            // What was not forgotten is not doubled.
            for (number, contents) in &self.open {
                put(&mut *self.tasks, &self.name, *number, contents)?;
            }
            (self.cursor, self.forgotten) = (Cursor::default(), false);
        }
        while self.open.len() < WINDOW
            && let Some((number, contents)) = rest.peek()
            && put(&mut *self.tasks, &self.name, *number, contents)?
        {
            self.open.extend(rest.next());
        }
        let results = self.tasks.results(&self.cursor, 1000, Duration::from_secs(1))?;
        if let Some(last) = results.last() {
            self.cursor = last.cursor.clone();
        }
        Ok(results)
    }

    /// The task of a result, if it is one of ours and the first.
    fn take_off(&mut self, done: &Done) -> Option<Contents> {
        let number = done.id.strip_prefix(&self.name)?.parse().ok()?;
        self.open.remove(&number)
    }
}

/// False if there is no room for it now.
fn put(
    tasks: &mut dyn TaskQueue,
    name: &str,
    number: u64,
    contents: &Contents,
) -> Result<bool, QueueError> {
    let body = to_value(&Task::Count(contents.clone())).map_err(CallError::Pickle);
    match tasks.put(&[(format!("{name}{number}"), body.map_err(QueueError::Call)?)]) {
        Ok(_) => Ok(true),
        Err(QueueError::Full) => Ok(false),
        Err(error) => Err(error),
    }
}
