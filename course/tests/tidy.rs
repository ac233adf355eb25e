//! The course's own conventions. Each is checked here, or by a lint of the workspace, or is none.
//!
//! Only files that are in the repository count: a learner's notes beside them are nobody's business.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Once;

/// What may be at the top, beside the lessons' folders.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".devcontainer",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "course",
    "rustfmt.toml",
];

/// The lessons, in order, whether written or not.
const LESSONS: &[&str] = &[
    "01-fork",
    "02-process",
    "03-pool",
    "04-subprocess",
    "05-ipc",
    "06-threads",
    "07-lock",
    "08-threadlocal",
    "09-distributed",
];

/// Where unsafe code is the subject, or argued for at its one place.
const UNSAFE: &[&str] = &[
    "01-fork/",
    "05-ipc/",
    // The program shows the C library's threads; the library has none of it.
    "06-threads/src/main.rs",
    "07-lock/",
    "08-threadlocal/",
    "course/judge/",
    "course/bench/",
];

#[test]
fn the_top_level_holds_only_what_the_house_names() {
    for file in files(|_| true) {
        let top = file.split('/').next().unwrap_or_default().to_owned();
        assert!(
            TOP.contains(&&*top) || LESSONS.contains(&&*top),
            "{top} is at the top level: put it into the lesson or the tool that it belongs to"
        );
    }
}

#[test]
fn every_lesson_has_a_text_a_library_a_demo_and_tests() {
    for lesson in lessons() {
        let name = name(lesson);
        let has = |file: &str| root().join(lesson).join(file);
        for file in ["README.md", "src/lib.rs", "src/main.rs"] {
            assert!(has(file).is_file(), "{lesson} has no {file}");
        }
        assert!(
            files(|file| file.starts_with(&format!("{lesson}/tests/"))).next().is_some(),
            "{lesson} has no tests/"
        );
        let library = read(&format!("{lesson}/src/lib.rs"));
        assert!(
            library.contains("#![doc = include_str!(\"../README.md\")]"),
            "{lesson}/src/lib.rs does not take in the README: then its examples are not tested"
        );
        assert!(
            !library
                .lines()
                .any(|line| line.trim_start().trim_start_matches("pub ").starts_with("fn ")),
            "{lesson}/src/lib.rs has a function: it is a tour, each idea has a file of its own"
        );
        let manifest = read(&format!("{lesson}/Cargo.toml"));
        assert!(
            manifest.contains(&format!("name = \"{name}\"\n")),
            "{lesson} is not package {name}"
        );
    }
}

#[test]
fn every_member_shares_the_lints() {
    for manifest in files(|file| file.ends_with("/Cargo.toml")) {
        assert!(
            read(&manifest).contains("[lints]\nworkspace = true\n"),
            "{manifest} does not say `lints.workspace = true`"
        );
    }
}

#[test]
fn unsafe_code_is_forbidden_where_it_is_not_the_subject() {
    for file in files(|file| file.ends_with("/src/lib.rs") || file.ends_with("/src/main.rs")) {
        let text = read(&file);
        if UNSAFE.iter().any(|part| file.starts_with(part)) {
            continue;
        }
        assert!(text.contains("#![forbid(unsafe_code)]"), "{file} does not forbid unsafe code");
    }
    for file in files(|file| file.starts_with("course/") && file.ends_with(".rs")) {
        let expected = read(&file).matches("expect(unsafe_code").count();
        assert!(
            expected <= 1,
            "{file} expects unsafe code {expected} times: once is enough to argue for"
        );
    }
}

#[test]
fn one_file_is_one_idea() {
    for file in files(|file| file.ends_with(".rs")) {
        let lines = read(&file).lines().count();
        assert!(
            lines <= 400,
            "{file} has {lines} lines, more than 400: which two ideas are in it?"
        );
        assert!(
            lines <= 200 || !lessons().any(|lesson| file == format!("{lesson}/src/main.rs")),
            "{file} has {lines} lines: a demo shows the library, in under 200"
        );
    }
}

#[test]
fn a_task_shows_the_stub_that_the_learner_gets() {
    for stub in files(|file| file.contains("/exercises/") && file.ends_with("/stub.rs")) {
        let task = stub.replace("stub.rs", "task.md");
        let shown = format!("```rust,ignore\n{}```", read(&stub));
        assert!(read(&task).contains(&shown), "{task} shows another stub");
    }
}

#[test]
fn every_lessons_text_ends_with_its_exercises() {
    for lesson in lessons() {
        let readme = read(&format!("{lesson}/README.md"));
        let (_, section) = readme.rsplit_once("\n## ").expect("sections");
        let tasks = files(|file| {
            file.starts_with(&format!("{lesson}/exercises/")) && file.ends_with("/task.md")
        });
        let lines = tasks.map(|task| {
            let exercise = task.split('/').nth(2).unwrap_or_default();
            let title = read(&task).lines().next().unwrap_or_default().replace("# ", "");
            format!("- `{}/{exercise}`: {title}\n", name(lesson))
        });
        assert!(section.starts_with("Exercises\n"), "{lesson}/README.md ends with {section}");
        let lines: String = lines.collect();
        assert!(section.ends_with(&lines), "{lesson}/README.md should end with\n{lines}");
    }
}

#[test]
fn dependencies_point_backwards() {
    for lesson in lessons() {
        for (section, dependency) in dependencies(&format!("{lesson}/Cargo.toml")) {
            if let Some(other) = LESSONS.iter().find(|other| name(other) == dependency) {
                assert!(*other < lesson, "{lesson} uses {other}, which comes later");
            }
            assert!(
                dependency != "judge" || section == "dev-dependencies",
                "{lesson} uses judge outside of its tests"
            );
            assert!(!["course", "bench"].contains(&&*dependency), "{lesson} uses {dependency}");
        }
    }
    for tool in ["course/Cargo.toml", "course/judge/Cargo.toml"] {
        for (_, dependency) in dependencies(tool) {
            assert!(
                !LESSONS.iter().any(|lesson| name(lesson) == dependency),
                "{tool} uses lesson {dependency}: a tool that judges lessons stands on none"
            );
        }
    }
}

#[test]
fn what_a_text_links_to_is_there() {
    for file in files(|file| file.ends_with(".md")) {
        let folder = Path::new(&file).parent().unwrap_or(Path::new("")).to_owned();
        for link in prose(&file).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            // Of the others rustdoc itself checks those to items.
            let is_path =
                target.contains('/') || target.ends_with(".md") || target.ends_with(".rs");
            if !is_path || target.contains("://") {
                continue;
            }
            assert!(
                root().join(&folder).join(target).exists(),
                "{file} links to {target}: not there"
            );
        }
    }
}

#[test]
fn every_command_that_a_text_names_is_in_the_help() {
    let mut help = BTreeMap::new();
    for file in files(|file| file.ends_with(".md")) {
        let text = read(&file);
        for command in text.split("cargo run -p ").skip(1) {
            let line = command.split(['`', '\n', '#', '|']).next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(package) = words.next() else { continue };
            assert!(
                LESSONS.iter().any(|lesson| name(lesson) == package),
                "{file} says `cargo run -p {line}`: there is no package {package}"
            );
            let Some(word) = words.skip_while(|word| *word != "--").nth(1) else { continue };
            let help = help.entry(package.to_owned()).or_insert_with(|| help_of(package));
            assert!(
                help.split(|letter: char| !letter.is_alphanumeric() && letter != '-')
                    .any(|w| w == word),
                "{file} says `cargo run -p {line}`, and --help does not know {word}:\n{help}"
            );
        }
    }
}

/// What `cargo run -p PACKAGE -- --help` prints: of a program that is built, in one go with the others.
fn help_of(package: &str) -> String {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--bins"]).current_dir(root()).stdin(Stdio::null());
        assert!(cargo.status().expect("cargo, which runs this test").success(), "{cargo:?} fails");
    });
    // This test lies in `deps`, beside which the programs are.
    let test = env::current_exe().expect("this test's own path");
    let programs = test.ancestors().nth(2).expect("target/debug/deps/tidy");
    let run = Command::new(programs.join(package)).arg("--help").stdin(Stdio::null()).output();
    let run = run.unwrap_or_else(|error| panic!("{package} can't be started: {error}"));
    assert!(run.status.success(), "`cargo run -p {package} -- --help` fails: {run:?}");
    String::from_utf8(run.stdout).expect("a help text is text")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The lessons that are written.
fn lessons() -> impl Iterator<Item = &'static str> {
    LESSONS.iter().copied().filter(|lesson| root().join(lesson).join("Cargo.toml").is_file())
}

/// `03-pool` is called `pool`.
fn name(lesson: &str) -> &str {
    &lesson[3..]
}

/// The repository's files of a kind, from the root on. None where there is no repository: an unpacked archive.
fn files(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let names = match listed {
        Ok(Output { status, stdout, .. }) if status.success() => {
            String::from_utf8(stdout).expect("our file names are text")
        }
        refused => {
            eprintln!("skipped, as this is no git checkout: {refused:?}");
            String::new()
        }
    };
    let there: Vec<String> = names
        .split_terminator('\0')
        .filter(|name| wanted(name) && root().join(name).is_file())
        .map(str::to_owned)
        .collect();
    there.into_iter()
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file))
        .unwrap_or_else(|error| panic!("cannot read {file}: {error}"))
}

/// A text without its code blocks, in which brackets mean other things.
fn prose(file: &str) -> String {
    let text = read(file);
    text.split("\n```").step_by(2).collect()
}

/// The packages that a manifest names, each with the section that it stands in.
fn dependencies(manifest: &str) -> Vec<(String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in read(manifest).lines() {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']').to_owned();
        } else if section.ends_with("dependencies")
            && let Some(dependency) =
                line.split(['.', '=', ' ']).next().filter(|name| !name.is_empty())
        {
            found.push((section.clone(), dependency.to_owned()));
        }
    }
    found
}
