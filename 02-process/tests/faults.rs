//! Random signals to random members of a family of processes, as fast as they come.
//!
//! For a second, or for `COURSE_STRESS_SECONDS`. A run that failed is repeated, as far as such a
//! thing can be, with the seed that it printed: `COURSE_STRESS_SEED`.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::*;
use judge::{Judge, check, scenario};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use process::{Error, ExitStatus, Process, Start, active_children};
use serde::{Deserialize, Serialize};

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Seconds that the signals fly.
fn length() -> Duration {
    Duration::from_secs(from_environment("COURSE_STRESS_SECONDS").unwrap_or(1))
}

/// Marsaglia's xorshift64: the same seed, the same numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What a member of the family returns: itself, and what became of all below it.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Account {
    returned: u32,
    ended: u32,
    /// Whatever may not be, whoever is killed and when.
    wrong: Vec<String>,
    /// Makes half of the answers larger than a pipe.
    ballast: Vec<u64>,
}

impl Account {
    fn add(&mut self, joined: Result<Account, Error>, seed: u64) {
        match joined {
            Ok(mut below) => {
                if below.ballast != ballast(seed) {
                    self.wrong.push("an answer came damaged".to_owned());
                }
                self.returned += 1 + below.returned;
                self.ended += below.ended;
                self.wrong.append(&mut below.wrong);
            }
            Err(Error::Ended { status: ExitStatus::Signaled { signal: 2 | 9, .. }, .. }) => {
                self.ended += 1;
            }
            Err(other) => self.wrong.push(other.to_string()),
        }
    }
}

fn ballast(seed: u64) -> Vec<u64> {
    let mut random = Random(seed);
    let len = if seed.is_multiple_of(2) { 10_000 } else { 0 };
    (0..len).map(|_| random.below(u64::MAX)).collect()
}

/// Three generations, forked and spawned. Each is its parent's daemon, so that nobody is left when one
/// in the middle is killed.
fn member(generation: u32, seed: u64) -> Account {
    let mut account = Account { ballast: ballast(seed), ..Account::default() };
    if generation < 3 {
        let mut random = Random(seed);
        let below = |_| {
            let seed = 1 + random.below(u64::MAX - 1);
            (seed, started(begin(generation + 1, seed)))
        };
        let children: Vec<_> = (0..2).map(below).collect();
        for (seed, mut child) in children {
            let joined = if seed.is_multiple_of(3) {
                loop {
                    match child.join_timeout(Duration::from_micros(seed % 5000)) {
                        Ok(None) => {}
                        Ok(Some(account)) => break Ok(account),
                        Err(error) => break Err(error),
                    }
                }
            } else {
                child.join()
            };
            account.add(joined, seed);
        }
    }
    account
}

fn begin(generation: u32, seed: u64) -> Process<Account> {
    let method = if seed.is_multiple_of(4) { Start::Spawn } else { Start::Fork };
    Process::new(member, (generation, seed)).method(method).daemon(true)
}

/// The living processes below this one, from the kernel's tables.
fn family() -> Vec<Pid> {
    let mut parents = BTreeMap::new();
    for entry in fs::read_dir("/proc").expect("proc is mounted").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((_, stat)) = stat.rsplit_once(") ") else { continue };
        let mut fields = stat.split(' ');
        if let (Some(state), Some(parent)) = (fields.next(), fields.next())
            && state != "Z"
        {
            parents.insert(pid, parent.parse::<i32>().unwrap_or(0));
        }
    }
    let me = std::process::id().cast_signed();
    let is_below = |pid: &i32| {
        let mut pid = *pid;
        while let Some(&parent) = parents.get(&pid) {
            if parent == me {
                return true;
            }
            pid = parent;
        }
        false
    };
    parents.keys().filter(|pid| is_below(pid)).map(|&pid| Pid::from_raw(pid)).collect()
}

/// What flies, and how often.
#[derive(Debug, Default)]
struct Faults {
    kills: u32,
    stops: u32,
    interrupts: u32,
}

impl Faults {
    /// One signal to one of them; or to none, if none is there at the moment.
    fn strike(&mut self, random: &mut Random) {
        let family = family();
        if family.is_empty() {
            return;
        }
        let index = usize::try_from(random.below(family.len() as u64)).expect("few");
        let (whom, kind) = (family[index], random.below(4));
        // It may have ended since: no number is given out again so soon.
        let sent = |signal| kill(whom, signal).is_ok();
        match kind {
            0 => self.kills += u32::from(sent(Signal::SIGKILL)),
            1 => self.interrupts += u32::from(sent(Signal::SIGINT)),
            _ => {
                let stopped = sent(Signal::SIGSTOP);
                self.stops += u32::from(stopped);
                pause(random.below(3000));
                sent(Signal::SIGCONT);
            }
        }
    }
}

fn pause(micros: u64) {
    #[expect(clippy::disallowed_methods, reason = "at a random moment, which is no event")]
    std::thread::sleep(Duration::from_micros(micros));
}

scenario!(
    fn strikes() {
        process::init();
        let seed = from_environment("COURSE_STRESS_SEED").unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
            now.as_nanos() as u64
        });
        println!("COURSE_STRESS_SEED={seed}");
        let (mut random, mut faults) = (Random(seed.max(1)), Faults::default());
        let (mut account, mut rounds, mut hung) = (Account::default(), 0, 0);
        let end = Instant::now() + length();
        // On a slow machine until something was hit at all.
        while Instant::now() < end || faults.kills * faults.stops * account.ended == 0 {
            rounds += 1;
            let seeds: Vec<u64> = (0..3).map(|_| 1 + random.below(u64::MAX - 1)).collect();
            let first = seeds.into_iter().map(|seed| (seed, started(begin(1, seed))));
            let first: Vec<_> = first.collect();
            for _ in 0..random.below(12) {
                pause(random.below(2000));
                faults.strike(&mut random);
            }
            for (seed, mut child) in first {
                match child.join_timeout(Duration::from_secs(30)) {
                    Ok(Some(value)) => account.add(Ok(value), seed),
                    Ok(None) => {
                        hung += 1;
                        child.kill().expect("it is ours");
                    }
                    Err(error) => account.add(Err(error), seed),
                }
            }
        }
        let Account { returned, ended, wrong, .. } = account;
        println!("{rounds} families; {faults:?}; {returned} returned, {ended} ended by a signal");
        check("no hang", hung == 0, "every join comes back");
        check("right", wrong.is_empty(), &format!("the whole answer, or the signal: {wrong:?}"));
        check("nobody", active_children().is_empty(), "nobody is left");
    }
);

#[test]
fn no_signal_to_anybody_at_any_moment_hangs_a_join_falsifies_an_answer_or_leaves_anything() {
    let judge = Judge::scenario(&strikes).deadline(length() + Duration::from_secs(60));
    let report = judge.declare(["no hang", "right", "nobody"]).run();
    report.assert_clean();
    println!("{}", report.stdout());
}
