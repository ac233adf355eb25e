//! Running a measure: in fresh processes of its own, a few one after the other.
//!
//! Where the scheduler first puts two processes decides how fast they talk for as long as they
//! live, so one process would measure its luck. A process of its own also has one thread and
//! little memory, and both decide what a fork costs.

use std::env;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::measure::{Measure, Outcome, Sample, Sides};

/// The argument that makes this program run one measure and print what it saw.
pub(crate) const INSIDE: &str = "--inside";

/// How long and how often to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Rounds altogether.
    pub(crate) rounds: u32,
    /// Processes that share the rounds.
    pub(crate) processes: u32,
    /// Length of a side's turn in a round.
    pub(crate) turn: Duration,
    /// Pin every measure to one CPU, not only those that ask for it.
    pub(crate) pin: bool,
}

/// Runs `measure` in processes of its own, and puts their rounds together.
pub(crate) fn run(measure: &Measure, plan: Plan) -> Outcome<Vec<Sample>> {
    let mut all: Vec<Sample> = Vec::new();
    for process in 0..plan.processes {
        // The first processes take what does not divide evenly.
        let rounds = (plan.rounds + plan.processes - 1 - process) / plan.processes;
        if rounds == 0 {
            continue;
        }
        for (index, sample) in run_once(measure, rounds, plan)?.into_iter().enumerate() {
            match all.get_mut(index) {
                Some(known) => {
                    known.nanoseconds.extend(sample.nanoseconds);
                    known.absent = known.absent.take().or(sample.absent);
                }
                None => all.push(sample),
            }
        }
    }
    Ok(all)
}

fn run_once(measure: &Measure, rounds: u32, plan: Plan) -> Outcome<Vec<Sample>> {
    let turn = plan.turn.as_micros().to_string();
    let pin = if plan.pin || measure.pinned { "pin" } else { "free" };
    let output = Command::new(env::current_exe()?)
        .args([INSIDE, measure.name, &rounds.to_string(), &turn, pin])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the measuring process ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The other end of [`run`]: `arguments` are those after [`INSIDE`].
pub(crate) fn inside(measures: &[&Measure], arguments: &[String]) -> Outcome {
    let [name, rounds, turn, pin] = arguments else {
        return Err(format!("{INSIDE} is for this program's own use").into());
    };
    let measure = measures
        .iter()
        .find(|measure| measure.name == name)
        .ok_or_else(|| format!("no measure {name:?}"))?;
    if pin == "pin" {
        pin_to_one_cpu()?;
    }
    let mut sides = Sides::default();
    (measure.sides)(&mut sides)?;
    let turn = Duration::from_micros(turn.parse()?);
    let samples = sides.measure(rounds.parse()?, turn, measure.units);
    println!("{}", serde_json::to_string(&samples)?);
    Ok(())
}

/// Leaves this process, and all that it will start, the first of the CPUs that it may use.
fn pin_to_one_cpu() -> Outcome {
    let allowed = sched_getaffinity(Pid::this())?;
    let first = (0..CpuSet::count()).find(|&cpu| allowed.is_set(cpu).unwrap_or(false));
    let mut one = CpuSet::new();
    one.set(first.ok_or("there is no CPU that this process may use")?)?;
    Ok(sched_setaffinity(Pid::this(), &one)?)
}
