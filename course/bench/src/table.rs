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
    #[serde(flatten)]
    result: Seen,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Seen {
    Figures(Figures),
    /// Why there are none.
    Absent {
        absent: String,
    },
}

#[derive(Debug, Serialize)]
struct Figures {
    rounds: usize,
    /// For one unit.
    nanoseconds: Quartiles,
    /// Our time divided by this side's, taken in each round; absent for our own side.
    our_time_to_its: Option<Quartiles>,
    asked: Option<Asking>,
}

#[derive(Debug, Serialize)]
struct Asking {
    asked: String,
    met: bool,
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
        let at = |part: f64| {
            let place = part * values.len().checked_sub(1)? as f64;
            let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
            Some(below + (above - below) * place.fract())
        };
        Some(Self { low: at(0.25)?, median: at(0.5)?, high: at(0.75)? })
    }

    fn inverted(self) -> Self {
        Self { low: 1.0 / self.high, median: 1.0 / self.median, high: 1.0 / self.low }
    }
}

impl Asked {
    fn judge(self, our_time_to_its: f64) -> Asking {
        match self {
            Self::AtMost(most, _) => {
                Asking { asked: format!("at most {most}"), met: our_time_to_its <= most }
            }
            Self::AtLeast(least, _) => {
                Asking { asked: format!("at least {least}"), met: 1.0 / our_time_to_its >= least }
            }
        }
    }
}

impl Report {
    /// Compares the first of our sides with every other side, round by round.
    pub(crate) fn new(measure: &Measure, pinned: bool, samples: &[Sample]) -> Self {
        let ours = samples.iter().find(|sample| sample.kind == Kind::Ours);
        let sides = samples
            .iter()
            .map(|sample| Line {
                name: sample.name.clone(),
                kind: sample.kind,
                result: figures(measure, ours, sample),
            })
            .collect();
        Self { name: measure.name, job: measure.job, pinned, sides, unit: measure.unit }
    }

    /// Whether one of our own sides failed, or was slower than asked. A rival that is not installed
    /// can't be compared with: that is no failure.
    pub(crate) fn failed(&self) -> bool {
        self.sides.iter().any(|side| match &side.result {
            Seen::Figures(figures) => figures.asked.as_ref().is_some_and(|asking| !asking.met),
            Seen::Absent { .. } => side.kind == Kind::Ours,
        })
    }
}

fn figures(measure: &Measure, ours: Option<&Sample>, sample: &Sample) -> Seen {
    if let Some(absent) = sample.absent.clone() {
        return Seen::Absent { absent };
    }
    let Some(nanoseconds) = Quartiles::of(sample.nanoseconds.clone()) else {
        return Seen::Absent { absent: "no round was measured".to_owned() };
    };
    let our_time_to_its =
        ours.filter(|ours| ours.absent.is_none() && sample.kind != Kind::Ours).and_then(|ours| {
            let pairs = ours.nanoseconds.iter().zip(&sample.nanoseconds);
            Quartiles::of(pairs.map(|(ours, its)| ours / its).collect())
        });
    let asked = measure.asked.iter().find(|asked| asked.against() == sample.name);
    let asked = asked.zip(our_time_to_its).map(|(asked, ratio)| asked.judge(ratio.median));
    let rounds = sample.nanoseconds.len();
    Seen::Figures(Figures { rounds, nanoseconds, our_time_to_its, asked })
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
            write!(f, "  {kind:<5}  {:<34}", side.name)?;
            match &side.result {
                Seen::Absent { absent } => writeln!(f, "  {absent}")?,
                Seen::Figures(figures) => writeln!(f, "  {}", self.figures(figures).trim_end())?,
            }
        }
        Ok(())
    }
}

impl Report {
    fn figures(&self, figures: &Figures) -> String {
        let Quartiles { low, median, high } = figures.nanoseconds;
        let spread = (high - low) / median * 50.0;
        let value = format!("{:<24} ±{spread:>3.0} %", self.unit.show(median));
        let Some(ratio) = figures.our_time_to_its else { return value };
        let asked = match &figures.asked {
            Some(Asking { asked, met: true }) => format!("asked {asked}: met"),
            Some(Asking { asked, met: false }) => format!("asked {asked}: NOT MET"),
            None => String::new(),
        };
        // Asked as a limit or as a lead; what nobody asked about is a lead over rivals only.
        let lead = match &figures.asked {
            Some(asking) => asking.asked.starts_with("at least"),
            None => ratio.median < 1.0,
        };
        let (ratio, words) =
            if lead { (ratio.inverted(), "times as fast") } else { (ratio, "times its time") };
        let Quartiles { low, median, high } = ratio;
        let range = format!("({}–{})", Ratio(low), Ratio(high));
        format!("{value}   {:>5} {words:<14} {range:<13} {asked}", Ratio(median).to_string())
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
