//! What came of one learner's answer to one exercise.

use crate::exercises::Exercise;

/// How far an answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// There is no file.
    Missing,
    /// There is one that can't be graded: too large, no text, not a file.
    Unreadable(String),
    /// It uses something that no task needs: for the teacher to look at.
    Suspicious(String),
    /// The compiler's first words.
    NotCompiled(String),
    NotFilledIn,
    /// The checks were run, and are these.
    Judged(Vec<Check>),
    /// The run itself went wrong, and why.
    Broken(String),
}

/// One check: its promise, and the sentence for what broke it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) promise: String,
    pub(crate) mistake: Option<String>,
}

/// One learner's mark for one exercise.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) learner: String,
    pub(crate) exercise: String,
    pub(crate) state: State,
    /// A point for each check.
    pub(crate) checks: Vec<Check>,
}

impl Mark {
    /// `promises` are the exercise's checks: none is kept unless `state` says so.
    pub(crate) fn new(
        learner: &str,
        exercise: &Exercise,
        state: State,
        promises: &[String],
    ) -> Mark {
        let checks = match &state {
            State::Judged(checks) => checks.clone(),
            other => promises
                .iter()
                .map(|promise| Check { promise: promise.clone(), mistake: Some(other.words()) })
                .collect(),
        };
        Mark { learner: learner.to_owned(), exercise: exercise.id(), state, checks }
    }

    pub(crate) fn points(&self) -> usize {
        self.checks.iter().filter(|check| check.mistake.is_none()).count()
    }

    pub(crate) fn most(&self) -> usize {
        self.checks.len()
    }

    /// The first mistake, in words.
    pub(crate) fn mistake(&self) -> Option<&str> {
        self.checks.iter().find_map(|check| check.mistake.as_deref())
    }
}

impl State {
    /// One word, for tables.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            State::Missing => "missing",
            State::Unreadable(_) => "unreadable",
            State::Suspicious(_) => "suspicious",
            State::NotCompiled(_) => "not compiled",
            State::NotFilledIn => "not filled in",
            State::Judged(_) => "judged",
            State::Broken(_) => "broken",
        }
    }

    fn words(&self) -> String {
        match self {
            State::Missing => "there is no answer".to_owned(),
            State::Unreadable(why) => format!("the answer can't be read: {why}"),
            State::Suspicious(word) => {
                format!(
                    "the answer uses `{word}`, which no task needs: the teacher will look at it"
                )
            }
            State::NotCompiled(why) => format!("the answer does not compile: {why}"),
            State::NotFilledIn => "not filled in yet".to_owned(),
            State::Judged(_) => String::new(),
            State::Broken(why) => format!("the answer broke its own run: {why}"),
        }
    }
}
