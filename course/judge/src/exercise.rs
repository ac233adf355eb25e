//! Checks that teach: an exercise's answer run case by case, and the first mistake told.
//!
//! An exercise is a small program of three files: the learner's `answer`, a `check` with the cases, and a `main` that
//! is nothing but [`main`]. The same `check` is compiled a second time against every answer that is known to be right
//! or wrong: see [`prove!`](crate::prove).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use nix::poll::{PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::case::check;
use crate::verdict::Verdict;
use crate::{Judge, Limit, Report, Scenario};

/// What `check` reports under: a case's own failure, its end, and a child where no child should be.
pub(crate) const REQUIRED: &str = "required";
pub(crate) const FINISHED: &str = "finished";
pub(crate) const CAME_BACK: &str = "came back";

/// More than any answer needs, and less than what brings a laptop to its knees: of each process, in bytes.
const MEMORY: u64 = 4 << 30;
/// The same for a file.
const FILE: u64 = 64 << 20;

/// Looks at a run from outside; an error is the sentence to be told.
pub type Look = fn(&Report) -> Result<(), String>;

/// One promise of an exercise, and what to say of the mistakes that break it.
///
/// Unlike a test, whose failure shows two values that differ, it names the mistake: each way in which a run can go
/// wrong has a sentence of its own, for a learner who does not know yet what to look for.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Case {
    pub(crate) scenario: Scenario,
    deadline: Duration,
    pub(crate) comes_back: &'static str,
    pub(crate) hang: &'static str,
    pub(crate) signal: &'static str,
    pub(crate) zombie: Option<&'static str>,
    pub(crate) descriptor: Option<&'static str>,
    pub(crate) orphan: Option<&'static str>,
    pub(crate) file: Option<&'static str>,
    pub(crate) look: Option<Look>,
}

impl Case {
    /// A case that the scenario of [`case!`](crate::case) tries, in two seconds at most.
    pub const fn of(scenario: &Scenario) -> Case {
        Case {
            scenario: *scenario,
            deadline: Duration::from_secs(2),
            comes_back: "a child came back out of your function, so the rest of the program runs twice: end the \
                         child with libc::_exit",
            hang: "hang: it did not come to an end",
            signal: "a signal ended the program",
            zombie: None,
            descriptor: None,
            orphan: None,
            file: None,
            look: None,
        }
    }

    /// Gives it more, or less, time.
    pub const fn within(mut self, deadline: Duration) -> Case {
        self.deadline = deadline;
        self
    }

    /// What to say when a forked child leaves the learner's function by returning.
    pub const fn comes_back(mut self, sentence: &'static str) -> Case {
        self.comes_back = sentence;
        self
    }

    /// What to say when it does not end; where it waits is added.
    pub const fn hang(mut self, sentence: &'static str) -> Case {
        self.hang = sentence;
        self
    }

    /// What to say when a signal ends it.
    pub const fn signal(mut self, sentence: &'static str) -> Case {
        self.signal = sentence;
        self
    }

    /// Looks for zombies that are left, and what to say of one. (What a case does not look for, it does not tell: one
    /// mistake a case.)
    pub const fn zombie(mut self, sentence: &'static str) -> Case {
        self.zombie = Some(sentence);
        self
    }

    /// Looks for descriptors that are left open, and what to say of one.
    pub const fn descriptor(mut self, sentence: &'static str) -> Case {
        self.descriptor = Some(sentence);
        self
    }

    /// Looks for processes that are left running, and what to say of one.
    pub const fn orphan(mut self, sentence: &'static str) -> Case {
        self.orphan = Some(sentence);
        self
    }

    /// Looks for files and shared objects that are left, and what to say of one.
    pub const fn file(mut self, sentence: &'static str) -> Case {
        self.file = Some(sentence);
        self
    }

    /// Looks at the whole run from outside, at what was printed, say; an error is the sentence to be told.
    pub const fn look(mut self, look: Look) -> Case {
        self.look = Some(look);
        self
    }

    /// Its promise: the scenario's name, as words.
    pub fn promise(&self) -> String {
        self.name().replace('_', " ")
    }

    pub(crate) fn name(&self) -> &'static str {
        self.scenario.name.rsplit("::").next().unwrap_or(self.scenario.name)
    }

    /// Runs it in a process of its own and judges.
    pub fn try_out(&self) -> Verdict {
        Verdict::of(self, &self.judge().run())
    }

    fn judge(&self) -> Judge {
        let judge = Judge::scenario(&self.scenario).deadline(self.deadline).output_cap(1 << 20);
        judge
            .limit(Limit::Processes(200))
            .limit(Limit::AddressSpace(MEMORY))
            .limit(Limit::FileSize(FILE))
    }
}

/// Tries the cases in their order, up to the first that is refused.
pub fn first_mistake(cases: &[Case]) -> Verdict {
    let refused =
        cases.iter().map(Case::try_out).find(|verdict| !matches!(verdict, Verdict::Passed));
    refused.unwrap_or(Verdict::Passed)
}

/// The program of an exercise: tries the cases in their order, tells the first mistake, and stops there.
///
/// Exit code 0 if all promises are kept, 1 if one is not, 3 if nothing is filled in yet.
///
/// For the teacher's desk it does two things more: `promises` names the cases, a line each, and `grade PROGRAM` judges
/// all cases of another build of the same checks, with another answer. What that answer does to its own process, it
/// can't do to this one.
pub fn main(cases: &[Case]) -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [order] if order == "promises" => {
            cases.iter().for_each(|case| println!("{}", case.promise()));
            ExitCode::SUCCESS
        }
        [order, program] if order == "grade" => {
            cases.iter().for_each(|case| grade(case, Path::new(program)));
            ExitCode::SUCCESS
        }
        _ => tell_first_mistake(cases),
    }
}

fn tell_first_mistake(cases: &[Case]) -> ExitCode {
    let width = cases.iter().map(|case| case.promise().len()).max().unwrap_or(0);
    for (at, case) in cases.iter().enumerate() {
        let verdict = case.try_out();
        let count = format!("{} of {}", at + 1, cases.len());
        match verdict {
            Verdict::Passed => println!("{count}  {:<width$}  kept", case.promise()),
            Verdict::NotFilledIn => {
                println!("Not filled in yet: there is still a todo!() in the answer.");
                return ExitCode::from(3);
            }
            Verdict::Refused { sentence, seen, .. } => {
                println!("{count}  {:<width$}  BROKEN\n\n{sentence}", case.promise());
                if !seen.is_empty() {
                    println!("\nSeen:\n{}", seen.trim_end());
                }
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// A line: `kept`, `broken` or `empty`, the promise, and the sentence, with tabs in between.
fn grade(case: &Case, program: &Path) {
    match Verdict::of(case, &case.judge().other_program(program).confine().run()) {
        Verdict::Passed => println!("kept\t{}", case.promise()),
        Verdict::NotFilledIn => println!("empty"),
        Verdict::Refused { sentence, .. } => {
            println!("broken\t{}\t{}", case.promise(), sentence.replace(['\t', '\n'], " "));
        }
    }
}

/// The case's own process, as opposed to children that its function may leave behind in it.
static MYSELF: AtomicU32 = AtomicU32::new(0);

/// Whether this is a case's process, or a child of one.
pub(crate) fn has_begun() -> bool {
    MYSELF.load(Relaxed) != 0
}

/// Called when a case begins.
#[doc(hidden)]
pub fn begin() {
    MYSELF.store(std::process::id(), Relaxed);
}

/// Called when a case has come to its end.
#[doc(hidden)]
pub fn finish() {
    only_myself();
    check(FINISHED, true, "");
}

/// Goes on if `kept`; otherwise tells the sentence, and the case ends here: what follows a mistake is its consequence.
pub fn require(kept: bool, sentence: &str) {
    only_myself();
    if !kept {
        refuse(sentence);
    }
}

/// Tells the sentence, from whichever of the case's processes, and ends that.
pub(crate) fn refuse(sentence: &str) -> ! {
    check(REQUIRED, false, sentence);
    end_here()
}

/// A pause in a case: to pace what the answer is to be seen doing, or to give a mistake the time to show. To wait for
/// something, wait for that.
pub fn pause(length: Duration) {
    let end = Instant::now() + length;
    // A signal's handler may end the poll early.
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        let millis = u16::try_from(left.as_millis() + 1).unwrap_or(u16::MAX);
        let _ = poll(&mut [], PollTimeout::from(millis));
    }
}

/// A thread of a case, as another of its threads sees it: whether it sleeps in the kernel.
#[derive(Debug, Clone)]
pub struct Thread(PathBuf);

impl Thread {
    /// The one that calls this.
    pub fn me() -> Thread {
        Thread(Path::new("/proc").join(fs::read_link("/proc/thread-self").unwrap_or_default()))
    }

    /// Whether it sleeps, or has ended. One that spins does not, whether it has a processor or waits for one.
    pub fn sleeps(&self) -> bool {
        let stat = fs::read_to_string(self.0.join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('S'))
    }

    /// Waits until it sleeps; one that never does is not waited for long.
    pub fn until_asleep(&self) {
        let end = Instant::now() + Duration::from_millis(300);
        while !self.sleeps() && Instant::now() < end {
            std::thread::yield_now();
        }
    }
}

/// A forked child that got out of the learner's function must not go on: the case would run twice.
fn only_myself() {
    if std::process::id() != MYSELF.load(Relaxed) {
        check(CAME_BACK, false, "");
        end_here();
    }
}

/// Without exit handlers, destructors and buffers, of which a forked child has copies.
fn end_here() -> ! {
    let _ = kill(Pid::this(), Signal::SIGKILL);
    // The first process of a namespace can't kill itself.
    std::process::abort()
}

/// Defines a case of an exercise: a scenario that reports when it came to its end.
///
/// Unlike a [`scenario!`](crate::scenario), it passes only if it ends, in the process that began it: an `exit` in the
/// middle is a failure, and so is a child that comes back.
#[macro_export]
macro_rules! case {
    ($(#[$doc:meta])* fn $name:ident() $body:block) => {
        $crate::scenario!(
            $(#[$doc])*
            fn $name() {
                $crate::exercise::begin();
                $body
                $crate::exercise::finish();
            }
        );
    };
}
