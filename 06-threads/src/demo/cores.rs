use std::hint::black_box;
use std::num::NonZero;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Outcome;

/// How long one job takes, at least.
const JOB: Duration = Duration::from_millis(50);

/// The same in Python: prints its version, the seconds of one thread and those of several.
const PYTHON: &str = "
import platform, sys, threading, time
def job(rounds):
    for _ in range(rounds):
        pass
def timed(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
rounds, jobs = 1000, int(sys.argv[1])
while timed(lambda: job(rounds)) < 0.05:
    rounds *= 2
def together():
    threads = [threading.Thread(target=job, args=(rounds,)) for _ in range(jobs)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print(platform.python_version(), timed(lambda: [job(rounds) for _ in range(jobs)]), timed(together))
";

pub(crate) fn run() -> Outcome {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    say!("As many jobs of pure computing as there are cores, {cores}, in milliseconds:")?;
    say!("{:16}{:>12}{:>12}{:>16}", "", "one thread", "a thread", "times as fast")?;
    say!("{:16}{:>12}{:>12}", "", "for all", "for each")?;
    let (alone, together) = here(cores);
    row("Rust", alone, together)?;
    match python(cores) {
        Some((version, alone, together)) => row(&format!("Python {version}"), alone, together)?,
        None => say!("{:16}python3 is not here, or did not answer", "Python")?,
    }
    Ok(())
}

fn row(name: &str, alone: f64, together: f64) -> Outcome {
    let times = alone / together;
    say!("{name:16}{:>12.0}{:>12.0}{times:>16.2}", alone * 1000.0, together * 1000.0)?;
    Ok(())
}

/// Seconds for all jobs, by one thread and by one each.
fn here(jobs: usize) -> (f64, f64) {
    let mut rounds = 1000;
    while timed(|| job(rounds)) < JOB.as_secs_f64() {
        rounds *= 2;
    }
    let alone = timed(|| (0..jobs).for_each(|_| job(rounds)));
    let together = timed(|| {
        thread::scope(|scope| (0..jobs).for_each(|_| drop(scope.spawn(|| job(rounds)))));
    });
    (alone, together)
}

fn job(rounds: u64) {
    (0..rounds).for_each(|round| {
        black_box(round);
    });
}

fn timed(action: impl FnOnce()) -> f64 {
    let start = Instant::now();
    action();
    start.elapsed().as_secs_f64()
}

fn python(jobs: usize) -> Option<(String, f64, f64)> {
    let mut command = Command::new("python3");
    command.args(["-c", PYTHON, &jobs.to_string()]).stdin(Stdio::null()).stderr(Stdio::null());
    let output = String::from_utf8(command.output().ok()?.stdout).ok()?;
    let mut words = output.split_whitespace();
    let version = words.next()?.to_owned();
    Some((version, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}
