//! Programs are killed, stopped and continued at random moments, and our own waits interrupted, while
//! we talk to them. A second of it, or `COURSE_STRESS_SECONDS`; `COURSE_STRESS_SEED` repeats a run.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use judge::{Judge, check, scenario};
use nix::unistd::{Uid, setuid};
use subprocess::{Command, CompletedProcess, Error, ExitStatus, PIPE, Popen, Signal};

fn seconds() -> u64 {
    std::env::var("COURSE_STRESS_SECONDS").ok().and_then(|it| it.parse().ok()).unwrap_or(1)
}

/// xorshift64*: good enough to choose moments, and the same ones for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let length = self.below(most);
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

/// Passes the time until somebody wants us, or so many microseconds.
fn pause(random: &mut Random, most: u64) {
    thread::park_timeout(Duration::from_micros(random.below(most)));
}

/// What one round of torment did.
#[derive(Default)]
struct Faults {
    signals: AtomicU64,
    interrupts: AtomicU64,
}

/// Torments a program while `talk` talks with it.
fn torment<T: Send>(
    popen: &Popen,
    seed: u64,
    faults: &Faults,
    talk: impl FnOnce() -> T + Send,
) -> T {
    let done = &AtomicBool::new(false);
    thread::scope(|scope| {
        let tormentor = scope.spawn(move || {
            let mut random = Random(seed | 1);
            for _ in 0..random.below(6) {
                pause(&mut random, 3000);
                let [first, then] = match random.below(8) {
                    0 => [Some(Signal::SIGKILL), None],
                    1 => [Some(Signal::SIGTERM), None],
                    _ => [Some(Signal::SIGSTOP), Some(Signal::SIGCONT)],
                };
                for signal in [first, then].into_iter().flatten() {
                    popen.send_signal(signal).expect("it is ours, or gone");
                    faults.signals.fetch_add(1, Relaxed);
                    pause(&mut random, 500);
                }
            }
        });
        let interrupter = scope.spawn(move || {
            while !done.load(Relaxed) {
                // The C library sends a signal to each thread for this.
                setuid(Uid::current()).expect("it is this user");
                faults.interrupts.fetch_add(1, Relaxed);
                thread::park_timeout(Duration::from_micros(200));
            }
        });
        let talked = talk();
        done.store(true, Relaxed);
        tormentor.thread().unpark();
        interrupter.thread().unpark();
        talked
    })
}

fn is_right(done: &CompletedProcess, input: &[u8]) -> bool {
    match done.status {
        ExitStatus::Exited(0) => done.stdout == input,
        // What came before its end is what was sent.
        ExitStatus::Signaled { signal: 9 | 15, .. } => input.starts_with(&done.stdout),
        _ => false,
    }
}

/// Talks at once, or in pieces with timeouts in between.
fn talk(popen: &Popen, input: &[u8], random: &mut Random) -> Result<CompletedProcess, Error> {
    if random.below(2) == 0 {
        return popen.communicate(input);
    }
    let mut rest = input;
    loop {
        match popen.communicate_timeout(rest, Duration::from_micros(random.below(2000))) {
            Err(Error::Timeout(expired)) => {
                assert!(input.starts_with(&expired.stdout), "partial output is a part");
                rest = &[];
            }
            other => return other,
        }
    }
}

scenario!(
    fn torments() -> Result<(), Error> {
        let seed = std::env::var("COURSE_STRESS_SEED").ok().and_then(|it| it.parse().ok());
        let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let faults = Faults::default();
        let end = Instant::now() + Duration::from_secs(seconds());
        let mut rounds = 0;
        while Instant::now() < end {
            rounds += 1;
            let input = random.bytes(300_000);
            let kind = random.below(4);
            let right = match kind {
                0 | 1 => {
                    let popen = Command::new(["cat"]).stdin(PIPE).stdout(PIPE).popen()?;
                    let its_seed = random.below(u64::MAX);
                    let done =
                        torment(&popen, its_seed, &faults, || talk(&popen, &input, &mut random))?;
                    is_right(&done, &input)
                }
                2 => {
                    // The first thing that a stage may do is to end another one.
                    let line = match random.below(3) {
                        0 => "kill -KILL $$",
                        1 => "head -c 1000; exit 0",
                        _ => "exec cat",
                    };
                    let stages = Command::new(["cat"]).input(input.clone())
                        | Command::shell(line)
                        | Command::new(["cat"]).stdout(PIPE);
                    let done = stages.run()?;
                    input.starts_with(&done.stages[2].stdout) && done.stages[2].status.success()
                }
                _ => {
                    let family = "sleep 60 & (sleep 60 &); setsid sleep 60 & cat; wait";
                    let timeout = Duration::from_micros(random.below(20_000));
                    let family = Command::shell(family).input(input.clone()).timeout(timeout);
                    match family.stdout(PIPE).run() {
                        Err(Error::Timeout(expired)) => {
                            faults.signals.fetch_add(1, Relaxed);
                            expired.status.is_some() && input.starts_with(&expired.stdout)
                        }
                        _ => false,
                    }
                }
            };
            if !right {
                check("right", false, &format!("round {rounds} of seed {seed}, kind {kind}"));
                return Ok(());
            }
        }
        let counts = [rounds, faults.signals.into_inner(), faults.interrupts.into_inner()];
        let [rounds, signals, interrupts] = counts;
        let sentence = format!("{rounds} programs, {signals} signals, {interrupts} interrupts");
        check("right", signals > 0 && interrupts > 0, &sentence);
        println!("seed {seed}: {sentence}");
        Ok(())
    }
);

#[test]
fn programs_may_be_killed_and_stopped_at_any_moment_and_nothing_hangs_lies_or_is_left() {
    let deadline = Duration::from_secs(20 + 2 * seconds());
    let report = Judge::scenario(&torments).declare(["right"]).deadline(deadline).run();
    report.assert_clean();
    eprint!("{}", report.stdout());
}
