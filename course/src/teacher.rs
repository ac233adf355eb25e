//! `cargo course grade`, up to the point where grading begins.

use std::ffi::OsString;

use crate::page::Page;
use crate::stop::Stop;
use crate::workspace::Workspace;

/// Becomes a desk that can grade: built with what only a teacher needs, for which no learner should wait.
///
/// # Errors
///
/// [`Stop::Failed`] if cargo can't be started. Otherwise it does not return.
#[cfg(not(feature = "teacher"))]
pub(crate) fn grade(_: &mut Page, workspace: &Workspace, args: Vec<OsString>) -> Result<(), Stop> {
    use std::os::unix::process::CommandExt;
    let mut cargo = workspace.cargo("run");
    cargo.args(["--quiet", "--package", "course", "--features", "teacher", "--", "grade"]);
    let error = cargo.args(args).exec();
    Err(Stop::Failed(format!("cannot start {cargo:?}: {error}")))
}

#[cfg(feature = "teacher")]
pub(crate) use with_feature::grade;

#[cfg(feature = "teacher")]
mod with_feature {
    use lexopt::prelude::*;

    use super::{OsString, Page, Stop, Workspace};
    use crate::grade::{self, Format, Orders};

    const HELP: &str = "\
Grades submissions with the checks of this course, each answer in a process of
its own that can't write, call out or live on.

Usage: cargo course grade [OPTIONS] DIR...

Each folder and each zip file in DIR is the submission of one learner, who is
called as it is. Answers are looked for at their usual places in it, such as
01-fork/exercises/1-exit-code/answer.rs, below any other folders. A point for
each check that is kept. If an exercise of this course has a private/check.rs,
that is used in place of its check.rs.

Options:
  --exercise E       only this exercise counts; may be given more than once
  --csv FILE         a line for each learner and exercise
  --json FILE        everything, check by check
  --junit FILE       JUnit XML, a suite for each learner
  --gradescope DIR   a results.json for each learner, in a folder of DIR
  --jobs N           so many answers at a time (as many as processors)
  -h, --help         this text
";

    /// Grades.
    ///
    /// # Errors
    ///
    /// [`Stop::Usage`] for a wrong command line, and as [`grade::grade`].
    pub(crate) fn grade(
        page: &mut Page,
        workspace: &Workspace,
        args: Vec<OsString>,
    ) -> Result<(), Stop> {
        let mut orders = Orders::default();
        let mut parser = lexopt::Parser::from_args(args);
        while let Some(arg) = parser.next()? {
            match arg {
                Short('h') | Long("help") => return Ok(page.raw(HELP)?),
                Long("exercise") => orders.exercises.push(parser.value()?.string()?),
                Long("csv") => orders.outputs.push((Format::Csv, parser.value()?.into())),
                Long("json") => orders.outputs.push((Format::Json, parser.value()?.into())),
                Long("junit") => orders.outputs.push((Format::Junit, parser.value()?.into())),
                Long("gradescope") => {
                    orders.outputs.push((Format::Gradescope, parser.value()?.into()));
                }
                Long("jobs") => orders.jobs = Some(parser.value()?.parse()?),
                Value(folder) => orders.folders.push(folder.into()),
                other => return Err(other.unexpected().into()),
            }
        }
        if orders.folders.is_empty() {
            let text = "say where the submissions are: `cargo course grade DIR`";
            return Err(Stop::Usage(text.to_owned()));
        }
        grade::grade(page, workspace, &orders)
    }
}
