//! The course on the disk: where it is, which lessons it has, and their programs, built.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::exercises::Exercise;
use crate::lessons::{LESSONS, Lesson};
use crate::stop::Stop;

/// The course's folder.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Looks upwards from the current folder, then from the package that cargo runs, then from this program itself.
    ///
    /// All of them are known only when the desk runs: a path that was compiled in would be wrong as soon as the
    /// course is moved or copied together with its `target`.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if no course is found in any of the three.
    pub(crate) fn find() -> Result<Self, Stop> {
        let starts = [
            env::current_dir().ok(),
            env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from),
            env::current_exe().ok(),
        ];
        for start in starts.iter().flatten() {
            if let Some(root) = start.ancestors().find(|folder| is_root(folder)) {
                return Ok(Self { root: root.to_owned() });
            }
        }
        Err(Stop::Failed(
            "the course's folder is not here, nor above; go into it, and type it again".to_owned(),
        ))
    }

    /// A course whose place is known.
    #[cfg(feature = "teacher")]
    pub(crate) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether the lesson is written.
    pub(crate) fn has(&self, lesson: &Lesson) -> bool {
        self.root.join(lesson.folder()).join("Cargo.toml").is_file()
    }

    /// The lessons that are written, in order.
    pub(crate) fn lessons(&self) -> impl Iterator<Item = &'static Lesson> + '_ {
        LESSONS.iter().filter(|lesson| self.has(lesson))
    }

    /// A cargo command on this workspace.
    pub(crate) fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg(command).arg("--manifest-path").arg(self.root.join("Cargo.toml"));
        cargo
    }

    /// Builds the lessons' programs and says where they are, in the order of `lessons`.
    ///
    /// A program is then run itself, not through `cargo run`: killing cargo would leave the program running.
    /// The build has no deadline: it may have to fetch crates over a slow line, shows what it does, and Ctrl-C ends
    /// it as it ends the desk.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if cargo can't be started, or if the lesson does not compile: cargo has then said why.
    pub(crate) fn build(&self, lessons: &[&Lesson]) -> Result<Vec<PathBuf>, Stop> {
        let mut cargo = self.cargo("build");
        cargo.args(["--bins", MESSAGES]);
        for lesson in lessons {
            cargo.args(["--package", lesson.name]);
        }
        let programs = executables(cargo)?.ok_or_else(|| {
            Stop::Failed(
                "the lesson does not compile, so there is nothing to play; cargo says why above"
                    .to_owned(),
            )
        })?;
        lessons.iter().map(|lesson| program_of(lesson, &programs)).collect()
    }

    /// Builds an exercise's program, the answer with its checks, and nothing else. `None` if it does not compile: cargo
    /// has then said why.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if cargo can't be started.
    pub(crate) fn build_exercise(&self, exercise: &Exercise) -> Result<Option<PathBuf>, Stop> {
        let (cargo, arguments) = self.exercise_build(exercise);
        let mut cargo = Command::new(cargo);
        cargo.args(arguments);
        let programs = executables(cargo)?;
        Ok(programs.and_then(|programs| program_of_exercise(exercise, programs)))
    }

    /// The command that builds an exercise's program: cargo, and its arguments.
    pub(crate) fn exercise_build(&self, exercise: &Exercise) -> (PathBuf, Vec<OsString>) {
        let mut cargo = self.cargo("build");
        cargo.args([
            "--quiet",
            "--package",
            exercise.lesson.name,
            "--test",
            &exercise.name,
            MESSAGES,
        ]);
        (cargo.get_program().into(), cargo.get_args().map(ToOwned::to_owned).collect())
    }
}

/// Has cargo say in JSON what it built, and all else as it would without.
const MESSAGES: &str = "--message-format=json-render-diagnostics";

/// The exercise's program among those that cargo's messages name.
#[cfg(feature = "teacher")]
pub(crate) fn exercise_program(exercise: &Exercise, messages: &str) -> Option<PathBuf> {
    program_of_exercise(exercise, messages.lines().filter_map(executable).collect())
}

/// Cargo builds the lesson's program along with it, for a test could want to run that.
fn program_of_exercise(exercise: &Exercise, programs: Vec<PathBuf>) -> Option<PathBuf> {
    let start = format!("{}-", exercise.name.replace('-', "_"));
    programs.into_iter().find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&start))
    })
}

/// Runs a build, and says which programs it made; `None` if something does not compile.
fn executables(mut cargo: Command) -> Result<Option<Vec<PathBuf>>, Stop> {
    let built = cargo
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Stop::Failed(format!("cannot start {cargo:?}: {error}")))?;
    let messages = String::from_utf8_lossy(&built.stdout);
    Ok(built.status.success().then(|| messages.lines().filter_map(executable).collect()))
}

/// The course is a workspace that has a desk.
fn is_root(folder: &Path) -> bool {
    folder.join("course/Cargo.toml").is_file()
        && fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "[workspace]"))
}

fn program_of(lesson: &Lesson, programs: &[PathBuf]) -> Result<PathBuf, Stop> {
    let found =
        programs.iter().find(|path| path.file_stem().is_some_and(|stem| stem == lesson.name));
    found.cloned().ok_or_else(|| {
        Stop::Failed(format!(
            "cargo built {} and did not say where its program is",
            lesson.folder()
        ))
    })
}

/// The program that a message of cargo names, if it does. Of JSON this reads one string of one field, which is not
/// worth what a parser would cost every learner's first build.
fn executable(message: &str) -> Option<PathBuf> {
    let (_, rest) = message.split_once(r#""executable":""#)?;
    let mut path = String::new();
    let mut letters = rest.chars();
    loop {
        match letters.next()? {
            '"' => return Some(path.into()),
            '\\' => match letters.next()? {
                'u' => {
                    let code: String = letters.by_ref().take(4).collect();
                    path.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
                }
                letter => path.push(letter),
            },
            letter => path.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::executable;

    #[test]
    fn a_program_is_found_in_cargos_message_under_any_path() {
        let message = r#"{"reason":"compiler-artifact","executable":"/a \"b\" \\ \u007fü/fork","fresh":true}"#;
        assert_eq!(executable(message), Some("/a \"b\" \\ \u{7f}ü/fork".into()));
        assert_eq!(executable(r#"{"reason":"build-finished","executable":null}"#), None);
    }
}
