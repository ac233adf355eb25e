//! A class as no teacher wants it, graded: one learner's submission changes nobody else's mark.
#![forbid(unsafe_code)]

mod large;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use judge::Judge;
use serde_json::Value;

/// Where the answer to the exercise that all of them solve lies.
const ANSWER: &str = "01-fork/exercises/1-exit-code/answer.rs";
/// How a right answer begins, for those that do something else as well.
const RIGHT: &str = "
pub fn run_in_child(f: impl FnOnce() -> i32) -> nix::Result<i32> {
    deed();
    let pid = nix::errno::Errno::result(unsafe { libc::fork() })?;
    if pid == 0 {
        let code = f();
        unsafe { libc::_exit(code) }
    }
    let mut status = 0;
    unsafe { libc::waitpid(pid, &mut status, 0) };
    Ok(if libc::WIFSIGNALED(status) { 128 + libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) })
}
";

/// What each does beside its task; and the points of four that it must get.
const DEEDS: &[(&str, &str, u64)] = &[
    ("honest", "", 4),
    ("fork-bomb", "loop { unsafe { libc::fork() }; }", 0),
    ("output-flood", "loop { println!(\"flood\"); }", 0),
    ("memory-hog", "let mut hog = Vec::new(); loop { hog.push(vec![1u8; 1 << 24]); }", 0),
    ("endless-loop", "loop { std::hint::spin_loop(); }", 0),
    (
        "kills-its-parent",
        "unsafe { libc::kill(libc::getppid(), 9); libc::kill(-1, 9); }; std::thread::park();",
        0,
    ),
    ("fake-passes", "println!(\"kept\\tcodes come back unchanged\"); std::process::exit(0);", 0),
    ("exits-early", "std::process::exit(0);", 0),
    (
        "deletes-everything",
        "let _ = std::process::Command::new(\"sh\").args([\"-c\", \"rm -rf CLASS/*\"]).status();",
        4,
    ),
    (
        "overwrites-the-checks",
        "let _ = std::fs::write(\"CHECKS\", \"\");",
        4,
    ),
    (
        "escapes",
        "let _ = std::process::Command::new(\"setsid\").args([\"sh\", \"-c\", \"sleep 1000 & sleep 1000\"]).spawn();
         std::thread::park();",
        0,
    ),
    (
        "large-memory",
        "assert!(Vec::<u8>::new().try_reserve_exact(8 << 30).is_err());",
        4,
    ),
    (
        "large-file",
        "let path = std::env::temp_dir().join(\"large\");
         let _ = std::fs::File::create(path).and_then(|file| file.set_len(1 << 30));",
        0,
    ),
    (
        "calls-out",
        "assert!(std::net::UdpSocket::bind(\"127.0.0.1:0\").and_then(|it| it.connect(\"192.0.2.1:9\")).is_err());",
        4,
    ),
];

struct Class {
    folder: PathBuf,
}

impl Class {
    fn new(name: &str) -> Class {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        Class { folder }
    }

    fn hand_in(&self, learner: &str, file: &str, text: &str) {
        let path = self.folder.join(learner).join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// What the desk prints, and the rows of marks.
    fn rows(&self, exercises: &[&str], deadline: Duration) -> (String, Vec<Value>) {
        let marks = self.folder.with_extension("json");
        let mut judge = Judge::program(env!("CARGO_BIN_EXE_course")).arg("grade");
        for exercise in exercises {
            judge = judge.args(["--exercise", exercise]);
        }
        let judge = judge.arg("--json").arg(&marks).arg(&self.folder);
        let report = judge.deadline(deadline).run();
        assert_eq!(report.code(), Some(0), "{report}");
        report.assert_nothing_left();
        let text = fs::read_to_string(&marks).expect("the marks");
        (report.stdout(), serde_json::from_str(&text).expect("the marks, in JSON"))
    }

    /// What the desk prints, and the marks: learner, state, points.
    fn grade(&self) -> (String, Vec<(String, String, u64)>) {
        let (output, rows) = self.rows(&["fork/1"], Duration::from_secs(500));
        let marks = rows.iter().map(|row| {
            let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
            (text("learner"), text("state"), row["points"].as_u64().unwrap_or(99))
        });
        (output, marks.collect())
    }
}

impl Drop for Class {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_file(self.folder.with_extension("json"));
    }
}

#[test]
fn a_hostile_submission_changes_no_mark_but_its_own() {
    let class = Class::new("hostile-class");
    let path = class.folder.to_string_lossy().into_owned();
    let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/grade/bench-0");
    let checks = bench.join("01-fork/exercises/1-exit-code/check.rs");
    let checks = checks.to_string_lossy().into_owned();
    for (learner, deed, _) in DEEDS {
        let deed = deed.replace("CLASS", &path).replace("CHECKS", &checks);
        let answer = format!("#[allow(unreachable_code)]\nfn deed() {{ {deed} }}\n{RIGHT}");
        class.hand_in(learner, ANSWER, &answer);
    }
    let (output, marks) = class.grade();
    for (learner, _, points) in DEEDS {
        let mark = marks.iter().find(|(name, ..)| name == learner);
        assert!(mark.is_some_and(|(_, _, got)| got == points), "{learner}: {mark:?}\n{output}");
    }
    for (learner, ..) in DEEDS {
        assert!(class.folder.join(learner).join(ANSWER).exists(), "{learner}'s answer is gone");
    }
}

#[test]
fn whatever_is_wrong_with_a_submission_is_that_learners_result() {
    let class = Class::new("careless-class");
    let stub = "pub fn run_in_child(f: impl FnOnce() -> i32) -> nix::Result<i32> { todo!() }\n";
    let raw = include_str!("../../../01-fork/exercises/1-exit-code/wrong/raw_wait_status.rs");
    class.hand_in("a-missing", "README.md", "I was ill.");
    class.hand_in("b-not-compiled", ANSWER, "pub fn run_in_child( {}\n");
    class.hand_in("c-not-filled-in", ANSWER, stub);
    class.hand_in("d-wrong", ANSWER, raw);
    class.hand_in(
        "e-suspicious",
        ANSWER,
        &format!("fn deed() {{ judge::check(\"finished\", true, \"\"); }}{RIGHT}"),
    );
    class.hand_in("f-too-large", ANSWER, &" ".repeat(300 << 10));
    class.hand_in(
        "g-below",
        &format!("my homework/week 1/{ANSWER}"),
        &format!("fn deed() {{}}{RIGHT}"),
    );
    fs::write(class.folder.join("h-no-zip.zip"), "this is no zip file").expect("a file");
    let zip = class.folder.join("i-zipped.zip");
    let made = Command::new("python3")
        .args(["-m", "zipfile", "-c"])
        .arg(&zip)
        .arg(class.folder.join("d-wrong/01-fork"))
        .status();
    let (output, marks) = class.grade();
    let mut expected = vec![
        ("a-missing", "missing", 0),
        ("b-not-compiled", "not compiled", 0),
        ("c-not-filled-in", "not filled in", 0),
        ("d-wrong", "judged", 0),
        ("e-suspicious", "suspicious", 0),
        ("f-too-large", "unreadable", 0),
        ("g-below", "judged", 4),
        ("h-no-zip", "unreadable", 0),
    ];
    match made {
        Ok(made) if made.success() => expected.push(("i-zipped", "judged", 0)),
        _ => eprintln!("skipped: no python3 to make a zip file with"),
    }
    let marks: Vec<_> = marks.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), *c)).collect();
    assert_eq!(marks, expected, "{output}");
    assert!(
        output.contains("2 times, fork/1-exit-code: you returned the raw wait status"),
        "{output}"
    );
}
