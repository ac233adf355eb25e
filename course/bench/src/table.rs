//! From rounds to a verdict, and from that to a table or JSON.

use serde::Serialize;
use std::fmt::{self, Display, Formatter};

use crate::measure::{Asked, Kind, Measure, Sample, Unit};

/// A measure's result, ready to be printed (`Display`) or serialised.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    name: &'static str,
    job: &'static str,
    pinned: bool,
    sides: Vec<Line>,
    #[serde(skip)]
    unit: Unit,
}

/// One side's line in the table.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    kind: Kind,
    /// Why there are no figures.
    absent: Option<String>,
    rounds: usize,
    /// For one unit.
    nanoseconds: Option<Quartiles>,
    /// Our time divided by this side's, taken in each round.
    our_time_to_its: Option<Quartiles>,
    /// The ratio to reach, as in "at least 20" times as fast, "at most 1.15" times its time.
    asked: Option<String>,
    met: Option<bool>,
    #[serde(skip)]
    shown: Shown,
}

/// Which way round a ratio is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// "1.02 times its time".
    Cost,
    /// "7.25 times as fast".
    Lead,
}

/// The middle value, and those that half of all values lie between.
#[derive(Clone, Copy, Debug, Serialize)]
struct Quartiles {
    low: f64,
    median: f64,
    high: f64,
}

impl Quartiles {
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |part: f64| {
            let place = part * last as f64;
            let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Some(Self { low: at(0.25), median: at(0.5), high: at(0.75) })
    }

    fn inverted(self) -> Self {
        Self { low: 1.0 / self.high, median: 1.0 / self.median, high: 1.0 / self.low }
    }
}

impl Asked {
    fn words(self) -> String {
        match self {
            Self::AtMost(most, _) => format!("at most {most}"),
            Self::AtLeast(least, _) => format!("at least {least}"),
        }
    }

    fn is_met(self, our_time_to_its: f64) -> bool {
        match self {
            Self::AtMost(most, _) => our_time_to_its <= most,
            Self::AtLeast(least, _) => 1.0 / our_time_to_its >= least,
        }
    }
}

impl Report {
    /// Compares the first of our sides with every other side, round by round.
    pub(crate) fn new(measure: &Measure, pinned: bool, samples: &[Sample]) -> Self {
        let ours = samples.iter().find(|sample| sample.kind == Kind::Ours);
        let sides = samples.iter().map(|sample| Line::new(measure, ours, sample)).collect();
        Self { name: measure.name, job: measure.job, pinned, sides, unit: measure.unit }
    }

    /// Whether one of our own sides failed, or was slower than asked. A rival that is not installed
    /// can't be compared with: that is no failure.
    pub(crate) fn failed(&self) -> bool {
        self.sides.iter().any(|side| {
            side.met == Some(false) || (side.kind == Kind::Ours && side.absent.is_some())
        })
    }
}

impl Line {
    fn new(measure: &Measure, ours: Option<&Sample>, sample: &Sample) -> Self {
        let asked = measure.asked.iter().find(|asked| asked.against() == sample.name).copied();
        let present = |sample: &&Sample| sample.absent.is_none();
        let pairs = ours.filter(present).zip(Some(sample).filter(present));
        let our_time_to_its =
            pairs.filter(|_| sample.kind != Kind::Ours).and_then(|(ours, its)| {
                let pairs = ours.nanoseconds.iter().zip(&its.nanoseconds);
                Quartiles::of(pairs.map(|(ours, its)| ours / its).collect())
            });
        let shown = match (asked, our_time_to_its) {
            (Some(Asked::AtMost(..)), _) => Shown::Cost,
            (None, Some(ratio)) if ratio.median >= 1.0 => Shown::Cost,
            _ => Shown::Lead,
        };
        Self {
            name: sample.name.clone(),
            kind: sample.kind,
            absent: sample.absent.clone(),
            rounds: sample.nanoseconds.len(),
            nanoseconds: Quartiles::of(sample.nanoseconds.clone()),
            our_time_to_its,
            asked: asked.map(Asked::words),
            met: asked.zip(our_time_to_its).map(|(asked, ratio)| asked.is_met(ratio.median)),
            shown,
        }
    }

    fn value(&self, unit: Unit) -> String {
        match (&self.absent, self.nanoseconds) {
            (Some(reason), _) => reason.clone(),
            (None, None) => "no round was measured".to_owned(),
            (None, Some(Quartiles { low, median, high })) => {
                let spread = (high - low) / median * 50.0;
                format!("{:<24} ±{spread:>3.0} %", unit.show(median))
            }
        }
    }

    fn ratio(&self) -> String {
        let Some(ratio) = self.our_time_to_its else { return String::new() };
        let (Quartiles { low, median, high }, words) = match self.shown {
            Shown::Cost => (ratio, "times its time"),
            Shown::Lead => (ratio.inverted(), "times as fast"),
        };
        let range = format!("({}–{})", Ratio(low), Ratio(high));
        format!("{:>5} {words:<14} {range}", Ratio(median).to_string())
    }

    fn verdict(&self) -> String {
        let Some(asked) = &self.asked else { return String::new() };
        let verdict = match self.met {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "not measured",
        };
        format!("asked {asked}: {verdict}")
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let pinned = if self.pinned { ", all on one CPU" } else { "" };
        writeln!(f, "{}: {}{pinned}", self.name, self.job)?;
        for side in &self.sides {
            let kind = match side.kind {
                Kind::Ours => "ours",
                Kind::Limit => "limit",
                Kind::Rival => "rival",
            };
            let (value, ratio, verdict) = (side.value(self.unit), side.ratio(), side.verdict());
            let line =
                format!("  {kind:<5}  {:<34}  {value:<31}  {ratio:<35} {verdict}", side.name);
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Two digits behind the point below ten, one below a hundred, then none.
struct Ratio(f64);

impl Display for Ratio {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = match self.0 {
            value if value < 9.995 => 2,
            value if value < 99.95 => 1,
            _ => 0,
        };
        write!(f, "{:.digits$}", self.0)
    }
}

impl Unit {
    fn show(self, nanoseconds: f64) -> String {
        match self {
            Self::TimeOf(what) => {
                let (value, unit) = match nanoseconds {
                    ns if ns < 1e3 => (ns, "ns"),
                    ns if ns < 1e6 => (ns / 1e3, "µs"),
                    ns => (ns / 1e6, "ms"),
                };
                format!("{:>5} {unit} a {what}", Ratio(value).to_string())
            }
            Self::Rate(what) => {
                let (value, scale) = match 1e9 / nanoseconds {
                    rate if rate < 1e3 => (rate, ""),
                    rate if rate < 1e6 => (rate / 1e3, " thousand"),
                    rate => (rate / 1e6, " million"),
                };
                format!("{:>5}{scale} {what}/s", Ratio(value).to_string())
            }
            Self::Bytes => format!("{:>5} GB/s", Ratio(1.0 / nanoseconds).to_string()),
        }
    }
}

/// How to read the table.
pub(crate) const LEGEND: &str = "\
\"ours\" is the lesson's library, \"limit\" the leanest program that does the job, \"rival\" what one
would use instead. Values are medians of all rounds; ± is half the distance between the quartiles.
Ratios are ours beside that line's, taken round by round; in brackets what half of them lie between.";
