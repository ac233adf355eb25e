use crate::exercise::{CAME_BACK, Case, FINISHED, REQUIRED};
use crate::{Ending, Report};

/// What is to be said of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All promises are kept.
    Passed,
    /// There is still a `todo!()` in it, and the run came to it.
    NotFilledIn,
    /// A promise is broken.
    Refused {
        /// The case that refused it.
        case: String,
        /// The mistake, in one sentence.
        sentence: String,
        /// What was seen of it: where each process waits, what is left over, the panic's text.
        seen: String,
    },
}

impl Verdict {
    /// Judges one run of a case. The order is that of causes before consequences: a child that came back spoils
    /// everything that follows, a mistake that the case itself saw may end in a hang, a hang in a leftover.
    pub(crate) fn of(case: &Case, report: &Report) -> Verdict {
        let refused = |sentence: &str, seen: String| Verdict::Refused {
            case: case.name().to_owned(),
            sentence: sentence.to_owned(),
            seen,
        };
        let failed =
            |name: &str| report.checks().iter().find(|check| check.name == name && !check.passed);
        let stderr = report.stderr();
        if failed(CAME_BACK).is_some() {
            return refused(case.comes_back, String::new());
        }
        if stderr.contains("not yet implemented") {
            return Verdict::NotFilledIn;
        }
        if let Some(check) = failed(REQUIRED) {
            return refused(&check.sentence, String::new());
        }
        match report.ending() {
            Ending::Deadline => return refused(case.hang, report.stuck()),
            Ending::TooManyProcesses => {
                return refused("it started processes without end: who forks in a loop?", stderr);
            }
            Ending::NotStarted | Ending::Unknown => {
                return refused(
                    "the check itself could not be started",
                    report.trouble().join("\n"),
                );
            }
            Ending::Signaled(signal) => {
                return refused(case.signal, format!("signal {signal}\n{stderr}"));
            }
            Ending::Exited(101) => return refused("it panicked", stderr),
            Ending::Exited(_) => {}
        }
        if let Some(Err(sentence)) = case.look.map(|look| look(report)) {
            return refused(&sentence, stderr);
        }
        let left = report.left_over();
        for (lines, sentence) in [
            (&left.zombies, case.zombie),
            (&left.orphans, case.orphan),
            (&left.descriptors, case.descriptor),
            (&left.files, case.file),
            (&left.ipc, case.file),
        ] {
            if let Some(sentence) = sentence.filter(|_| !lines.is_empty()) {
                return refused(sentence, lines.join("\n"));
            }
        }
        if report.checks().iter().any(|check| check.name == FINISHED) {
            Verdict::Passed
        } else {
            refused("the program ended in the middle of your function: who calls exit?", stderr)
        }
    }
}
