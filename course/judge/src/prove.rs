//! The proofs of an exercise: right answers pass, wrong ones are refused with the sentence meant for them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::exercise::{Case, first_mistake};
use crate::verdict::Verdict;

/// Proves one exercise in the tests of its lesson.
///
/// ```ignore
/// judge::prove!(exit_code, "1-exit-code", right: [], wrong: [returns_into_the_caller]);
/// ```
///
/// The checks, `check.rs`, are compiled once against `stub.rs`, `solution.rs` and each file of `right/` and `wrong/`.
/// The learner's `answer.rs` is not among them: whatever is in it, the proofs stay as they are.
///
/// A wrong answer says in its first lines which mistake it makes, which case must refuse it, and what the learner must
/// be told:
///
/// ```text
/// // Wrong: the child returns instead of ending.
/// // Refused by: codes_come_back
/// // Told: the child came back out of run_in_child
/// ```
#[macro_export]
macro_rules! prove {
    ($exercise:ident, $folder:literal, right: [$($right:ident),*], wrong: [$($wrong:ident),* $(,)?]) => {
        mod $exercise {
            $crate::prove!(@one stub, $folder, "stub.rs", $crate::prove::not_filled_in);
            $crate::prove!(@one solution, $folder, "solution.rs", $crate::prove::passes);
            $($crate::prove!(
                @one $right, $folder, concat!("right/", stringify!($right), ".rs"), $crate::prove::passes
            );)*
            $($crate::prove!(
                @one $wrong, $folder, concat!("wrong/", stringify!($wrong), ".rs"), $crate::prove::is_refused
            );)*

            #[test]
            fn every_answer_in_the_folder_is_proven() {
                let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/exercises/", $folder);
                $crate::prove::is_whole(folder, &[$(stringify!($right)),*], &[$(stringify!($wrong)),*]);
            }
        }
    };
    (@one $name:ident, $folder:literal, $file:expr, $proof:path) => {
        mod $name {
            #[allow(warnings, clippy::all, clippy::restriction, reason = "a stub uses nothing yet, and a wrong answer is wrong")]
            mod answer {
                include!(concat!(env!("CARGO_MANIFEST_DIR"), "/exercises/", $folder, "/", $file));
            }
            mod check {
                include!(concat!(env!("CARGO_MANIFEST_DIR"), "/exercises/", $folder, "/check.rs"));
            }
            #[test]
            fn is_judged_as_it_must_be() {
                let source =
                    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/exercises/", $folder, "/", $file));
                $proof(check::CASES, source);
            }
        }
    };
}

/// Asserts that a right answer passes.
#[doc(hidden)]
#[track_caller]
pub fn passes(cases: &[Case], _source: &str) {
    assert_eq!(first_mistake(cases), Verdict::Passed);
}

/// Asserts that a stub gets no wrong answer's sentence.
#[doc(hidden)]
#[track_caller]
pub fn not_filled_in(cases: &[Case], _source: &str) {
    assert_eq!(first_mistake(cases), Verdict::NotFilledIn);
}

/// Asserts that a wrong answer is refused by the case meant for it, with the sentence meant for it.
#[doc(hidden)]
#[track_caller]
pub fn is_refused(cases: &[Case], source: &str) {
    let line = |start: &str| {
        let found = source.lines().find_map(|line| line.strip_prefix(start));
        found.unwrap_or_else(|| panic!("a wrong answer has a line `{start}…`")).trim()
    };
    line("// Wrong:");
    match first_mistake(cases) {
        Verdict::Refused { case, sentence, seen } => {
            assert_eq!(case, line("// Refused by:"), "told: {sentence}\nseen: {seen}");
            assert!(sentence.contains(line("// Told:")), "told: {sentence}\nseen: {seen}");
        }
        verdict => panic!("it was not refused: {verdict:?}"),
    }
}

/// Asserts that no answer lies in the folder unproven, and that an untouched answer is the stub.
#[doc(hidden)]
#[track_caller]
pub fn is_whole(folder: &str, right: &[&str], wrong: &[&str]) {
    for (kind, proven) in [("right", right), ("wrong", wrong)] {
        let entries = fs::read_dir(Path::new(folder).join(kind)).into_iter().flatten().flatten();
        let there: BTreeSet<String> = entries
            .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
            .collect();
        let proven: BTreeSet<String> = proven.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(there, proven, "{folder}/{kind}: what lies there, and what is proven");
    }
    for file in
        ["task.md", "answer.rs", "stub.rs", "check.rs", "hints.md", "solution.rs", "main.rs"]
    {
        assert!(Path::new(folder).join(file).is_file(), "{folder} has no {file}");
    }
}
