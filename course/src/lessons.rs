//! The lessons: one table, and whatever the desk says of a lesson is in it.

mod distributed;
mod fork;
mod ipc;
mod lock;
mod pool;
mod process;
mod subprocess;
mod threadlocal;
mod threads;

/// One lesson.
#[derive(Debug)]
pub(crate) struct Lesson {
    pub(crate) number: u8,
    /// The package, and the program in it.
    pub(crate) name: &'static str,
    /// What the lesson answers.
    pub(crate) question: &'static str,
    /// Empty as long as the lesson is not written.
    pub(crate) demos: &'static [Demo],
}

impl Lesson {
    /// The lesson's folder below the course's.
    pub(crate) fn folder(&self) -> String {
        format!("{:02}-{}", self.number, self.name)
    }
}

/// One run of a lesson's program.
#[derive(Debug)]
pub(crate) struct Demo {
    pub(crate) args: &'static [&'static str],
    /// Said before it: where to look, and what to guess.
    pub(crate) look: &'static str,
    /// Said after it: what was to be seen, and why it is so.
    pub(crate) seen: &'static str,
}

/// In the order of reading.
pub(crate) const LESSONS: &[Lesson] = &[
    lesson(1, "fork", "How does one process become two?", fork::DEMOS),
    lesson(2, "process", "How do I run a function in its own process?", process::DEMOS),
    lesson(3, "pool", "How do many tasks share a few processes?", pool::DEMOS),
    lesson(4, "subprocess", "How do I run other people's programs?", subprocess::DEMOS),
    lesson(5, "ipc", "How do processes pass data on?", ipc::DEMOS),
    lesson(6, "threads", "How do tasks share one process?", threads::DEMOS),
    lesson(7, "lock", "Who may touch what, and when?", lock::DEMOS),
    lesson(8, "threadlocal", "What does nobody else see?", threadlocal::DEMOS),
    lesson(9, "distributed", "How do many machines share the work?", distributed::DEMOS),
];

const fn lesson(
    number: u8,
    name: &'static str,
    question: &'static str,
    demos: &'static [Demo],
) -> Lesson {
    Lesson { number, name, question, demos }
}
