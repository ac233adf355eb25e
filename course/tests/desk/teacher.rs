//! What the teacher does at the desk.

use std::fs;

use crate::support::{SmallCourse, end};

#[test]
fn a_handout_has_every_task_and_no_solution() {
    let course = SmallCourse::new("handout", "fn main() {}\n");
    course.exercise("1-one", "pub fn main() { mine() }\n");
    course.write("progress.txt", "passed fork/1-one\n");
    course.write("target/debug/fork", "a program");
    for secret in ["wrong/a.rs", "right/b.rs", "private/check.rs", "answer.kept-1.rs"] {
        course.write(&format!("01-fork/exercises/1-one/{secret}"), "a secret\n");
    }
    course.write("01-fork/tests/exercises.rs", "a secret\n");
    course.write("01-fork/tests/wait.rs", "no secret\n");

    let out = course.root().join("../handed-out");
    let _ = fs::remove_dir_all(&out);
    let report = course.desk(&["handout", "../../handed-out"], &[]).run();
    report.assert_clean();
    let there = |file: &str| fs::read_to_string(out.join(file)).ok();
    let of_exercise = |file: &str| there(&format!("01-fork/exercises/1-one/{file}"));
    assert_eq!(of_exercise("answer.rs"), of_exercise("stub.rs"), "nobody's answer is handed out");
    for file in ["task.md", "check.rs", "main.rs", "hints.md", "stub.rs"] {
        let original = course.root().join("01-fork/exercises/1-one").join(file);
        assert_eq!(of_exercise(file), fs::read_to_string(original).ok(), "{file}");
    }
    let secrets =
        ["solution.rs", "wrong/a.rs", "right/b.rs", "private/check.rs", "answer.kept-1.rs"];
    for secret in secrets {
        assert_eq!(of_exercise(secret), None, "{secret}");
    }
    for secret in ["01-fork/tests/exercises.rs", "progress.txt", "target/debug/fork"] {
        assert_eq!(there(secret), None, "{secret}");
    }
    assert_eq!(there("01-fork/tests/wait.rs").as_deref(), Some("no secret\n"));

    let (code, stderr) = end(&course.desk(&["handout", "../../handed-out"], &[]).run());
    assert!(code == Some(2) && stderr.contains("is not empty"), "{stderr}");
    let _ = fs::remove_dir_all(&out);
}
