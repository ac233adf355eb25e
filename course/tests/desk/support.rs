//! The desk started as a person starts it, and small courses made for the occasion.

use std::fs;
use std::path::{Path, PathBuf};

use judge::{Judge, Report};

/// The real course.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The desk, to be run in `folder`, with `vars` on top of this process's environment.
pub(crate) fn desk(folder: &Path, args: &[&str], vars: &[(&str, &str)]) -> Judge {
    let judge = Judge::program(env!("CARGO_BIN_EXE_course")).dir(folder).args(args);
    // What whoever runs the tests has set must not matter.
    let judge = judge.env("COURSE_PROGRESS", "").env("COURSE_DEADLINE", "20");
    vars.iter().fold(judge, |judge, (name, value)| judge.env(name, value))
}

/// The desk's exit code and what it said on standard error, in one to compare.
pub(crate) fn end(report: &Report) -> (Option<i32>, String) {
    (report.code(), report.stderr())
}

/// A course of one lesson, `fork`, whose program each test writes for itself: one that fails, hangs, or leaves
/// something behind. It is built by cargo like any other, into a target folder of its own.
#[derive(Debug)]
pub(crate) struct SmallCourse {
    root: PathBuf,
}

impl SmallCourse {
    /// `name` is the folder's, and so has to be another in each test.
    pub(crate) fn new(name: &str, main: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let course = Self { root };
        course.write("Cargo.toml", "[workspace]\nmembers = [\"01-fork\"]\nresolver = \"3\"\n");
        course.write("course/Cargo.toml", "");
        course.write(
            "01-fork/Cargo.toml",
            "[package]\nname = \"fork\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        );
        course.write("01-fork/src/main.rs", main);
        course
    }

    /// Adds an exercise whose check does what the answer's `main` says.
    pub(crate) fn exercise(&self, name: &str, answer: &str) {
        let file = |file: &str, text: &str| {
            self.write(&format!("01-fork/exercises/{name}/{file}"), text);
        };
        file("task.md", &format!("# The title of {name}\n\nDo it.\n"));
        file("answer.rs", answer);
        file("stub.rs", "pub fn main() { std::process::exit(3) }\n");
        file("solution.rs", "pub fn main() {\n    solved();\n}\n");
        file("hints.md", "1. First.\n2. Second.\n   Its rest.\n3. Third.\n- no_leak: Leaks.\n");
        file("main.rs", "mod answer;\nfn main() { answer::main() }\n");
        let manifest =
            fs::read_to_string(self.root.join("01-fork/Cargo.toml")).expect("a manifest");
        let target = format!(
            "[[test]]\nname = \"{name}\"\npath = \"exercises/{name}/main.rs\"\nharness = false\ntest = false\n"
        );
        self.write("01-fork/Cargo.toml", &(manifest + &target));
    }

    /// The answer, as it is on the disk.
    pub(crate) fn answer(&self, name: &str) -> PathBuf {
        self.root.join("01-fork/exercises").join(name).join("answer.rs")
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The desk, to be run in the lesson's folder.
    pub(crate) fn desk(&self, args: &[&str], vars: &[(&str, &str)]) -> Judge {
        let target = self.root.join("target");
        let target = target.to_str().expect("our folders' names are text");
        let vars: Vec<_> = [("CARGO_TARGET_DIR", target)].iter().chain(vars).copied().collect();
        desk(&self.root.join("01-fork"), args, &vars)
    }

    /// What the learner has done, as the desk keeps it.
    pub(crate) fn progress(&self) -> String {
        fs::read_to_string(self.root.join("progress.txt")).unwrap_or_default()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.root.join(file);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
}

impl Drop for SmallCourse {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}
