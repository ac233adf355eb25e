//! Measuring: several ways to do one job, taking turns, in rounds.

use serde::{Deserialize, Serialize};
use std::error::Error;
use std::time::{Duration, Instant};

use crate::python::Python;

/// What goes wrong in a measurement; its text is printed in the side's place.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// One job, and every way to do it that we compare.
pub(crate) struct Measure {
    /// `lesson/measure`, as typed on the command line.
    pub(crate) name: &'static str,
    /// The job, in words.
    pub(crate) job: &'static str,
    /// What the result counts.
    pub(crate) unit: Unit,
    /// How many units one call of a side does: the same for all sides.
    pub(crate) units: u64,
    /// The ratios to reach. Each names one of the sides.
    pub(crate) asked: &'static [Asked],
    /// Everything on one CPU: then a wake-up is a switch, not a call to another CPU.
    pub(crate) pinned: bool,
    /// Builds the sides. It is called in a process of its own that has one thread, so sides that
    /// fork come before sides that start threads.
    pub(crate) sides: fn(&mut Sides) -> Outcome,
}

/// What one unit of a measure is, and whether the table shows time a unit or units a second.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// Time for one …
    TimeOf(&'static str),
    /// How many … in a second.
    Rate(&'static str),
    /// Bytes in a second.
    Bytes,
}

/// A promise about our speed beside another side's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    /// We take at most so many times as long as the named side.
    AtMost(f64, &'static str),
    /// We are at least so many times as fast as the named side.
    AtLeast(f64, &'static str),
}

impl Asked {
    /// The side that we are compared with.
    pub(crate) fn against(self) -> &'static str {
        match self {
            Self::AtMost(_, side) | Self::AtLeast(_, side) => side,
        }
    }
}

/// Whose way of doing the job it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// The lesson's library.
    Ours,
    /// The leanest program that does the job.
    Limit,
    /// What one would use instead.
    Rival,
}

/// Does the job so many times, and says how long that took.
type Work = Box<dyn FnMut(u64) -> Outcome<Duration>>;

struct Side {
    name: &'static str,
    kind: Kind,
    work: Result<Work, String>,
    calls: u64,
    nanoseconds: Vec<f64>,
}

/// The sides of one measure, in the order in which they are printed.
#[derive(Default)]
pub(crate) struct Sides(Vec<Side>);

/// What one side measured: the result that travels from the measuring process to the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Time for one unit, in nanoseconds, a round.
    pub(crate) nanoseconds: Vec<f64>,
    /// Why there is nothing to show.
    pub(crate) absent: Option<String>,
}

impl Sides {
    /// Adds the lesson's library, in front; `call` does the job once.
    pub(crate) fn ours(&mut self, name: &'static str, call: impl FnMut() -> Outcome + 'static) {
        self.push(name, Kind::Ours, Ok(timed(call)));
        self.0.rotate_right(1);
    }

    /// Adds the leanest program that does the job.
    pub(crate) fn limit(&mut self, name: &'static str, call: impl FnMut() -> Outcome + 'static) {
        self.push(name, Kind::Limit, Ok(timed(call)));
    }

    /// Adds a rival that is a Rust library.
    pub(crate) fn rival(&mut self, name: &'static str, call: impl FnMut() -> Outcome + 'static) {
        self.push(name, Kind::Rival, Ok(timed(call)));
    }

    /// Adds a side that does the job so many times and says itself how long that took: for a job with
    /// something in between that is not to be counted.
    pub(crate) fn with_own_clock(
        &mut self,
        kind: Kind,
        name: &'static str,
        work: impl FnMut(u64) -> Outcome<Duration> + 'static,
    ) {
        self.push(name, kind, Ok(Box::new(work)));
    }

    /// Adds the lesson's library as it is met from Python: as [`python`](Self::python), not a rival.
    pub(crate) fn python_as_ours(&mut self, name: &'static str, script: &str) {
        self.python(name, script);
        if let Some(side) = self.0.last_mut() {
            side.kind = Kind::Ours;
        }
    }

    /// Adds a rival in Python: `script` defines `run()`, which does the job once, and is timed
    /// inside the interpreter, so that neither its start nor our pipe to it counts.
    pub(crate) fn python(&mut self, name: &'static str, script: &str) {
        let work = Python::start(script)
            .map(|mut python| Box::new(move |calls| python.run(calls)) as Work)
            .map_err(|error| error.to_string());
        self.push(name, Kind::Rival, work);
    }

    fn push(&mut self, name: &'static str, kind: Kind, work: Result<Work, String>) {
        self.0.push(Side { name, kind, work, calls: 1, nanoseconds: Vec::new() });
    }

    /// Warms up, then runs the rounds: every side once a round, there and back (A B, B A, …), so
    /// that whatever else the machine does meets all sides alike. A turn lasts about `turn`.
    pub(crate) fn measure(mut self, rounds: u32, turn: Duration, units: u64) -> Vec<Sample> {
        for side in &mut self.0 {
            side.warm_up(turn);
        }
        for round in 0..rounds {
            if round % 2 == 0 {
                self.0.iter_mut().for_each(|side| side.turn(units));
            } else {
                self.0.iter_mut().rev().for_each(|side| side.turn(units));
            }
        }
        self.0.into_iter().map(Side::sample).collect()
    }
}

impl Side {
    /// Finds out how many calls fill a turn.
    fn warm_up(&mut self, turn: Duration) {
        while let Some(took) = self.run() {
            if took * 2 >= turn {
                break;
            }
            let missing = turn.as_secs_f64() / took.as_secs_f64().max(1e-9);
            self.calls = (self.calls as f64 * missing.clamp(2.0, 20.0)).ceil() as u64;
        }
    }

    fn turn(&mut self, units: u64) {
        if let Some(took) = self.run() {
            self.nanoseconds.push(took.as_secs_f64() * 1e9 / (self.calls * units) as f64);
        }
    }

    fn run(&mut self) -> Option<Duration> {
        let work = self.work.as_mut().ok()?;
        match work(self.calls) {
            Ok(took) => Some(took),
            Err(error) => {
                self.work = Err(format!("failed: {error}"));
                None
            }
        }
    }

    fn sample(self) -> Sample {
        Sample {
            name: self.name.to_owned(),
            kind: self.kind,
            nanoseconds: self.nanoseconds,
            absent: self.work.err(),
        }
    }
}

/// The loop is in here, so that what is called through a pointer is a whole turn, not a call.
fn timed(mut call: impl FnMut() -> Outcome + 'static) -> Work {
    Box::new(move |calls| {
        let start = Instant::now();
        for _ in 0..calls {
            call()?;
        }
        Ok(start.elapsed())
    })
}
