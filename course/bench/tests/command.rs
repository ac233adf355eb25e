//! What the command promises, whoever is faster.

use std::error::Error;
use std::process::{Command, Output, Stdio};

type Checked = Result<(), Box<dyn Error>>;

/// Runs it as briefly as possible: one round, in a debug build.
fn bench(arguments: &[&str], python: &str) -> Result<Output, Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(["--quick", "--rounds", "1"]).args(arguments).env("PYTHON", python);
    Ok(command.stdin(Stdio::null()).output()?)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn without_python_its_lines_say_so_and_nothing_fails() -> Checked {
    let output = bench(&["pool/round-trip"], "no-such-python")?;
    let table = text(&output.stdout);
    assert!(table.contains("no-such-python not found: skipped"), "{table}");
    assert!(table.contains("a pair of pipes"), "{table}");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    Ok(())
}

#[test]
fn a_program_that_is_no_python_is_skipped_too() -> Checked {
    let output = bench(&["fork/wait"], "true")?;
    let table = text(&output.stdout);
    assert!(table.contains("true ended early, its message is above: skipped"), "{table}");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    Ok(())
}

#[test]
fn a_name_that_is_none_is_refused_and_says_where_names_are() -> Checked {
    let output = bench(&["frok"], "true")?;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).is_empty());
    assert!(text(&output.stderr).contains("\"frok\"; --list names them"));
    Ok(())
}

#[test]
fn json_is_one_object_a_measure_with_a_verdict() -> Checked {
    let output = bench(&["--json", "fork"], "no-such-python")?;
    let lines = text(&output.stdout);
    let report: serde_json::Value = serde_json::from_str(lines.trim_end())?;
    assert_eq!(report["name"], "fork/wait");
    let sides = report["sides"].as_array().ok_or("no sides")?;
    let limit = sides.iter().find(|side| side["kind"] == "limit").ok_or("no limit")?;
    assert_eq!(limit["asked"], "at most 1.15");
    assert!(limit["met"].is_boolean(), "{limit}");
    let python = sides.iter().find(|side| side["kind"] == "rival").ok_or("no rival")?;
    assert_eq!(python["absent"], "no-such-python not found: skipped");
    Ok(())
}

#[test]
fn check_fails_exactly_when_a_ratio_is_not_met() -> Checked {
    let output = bench(&["--json", "--check", "fork"], "no-such-python")?;
    let missed = text(&output.stdout).contains("\"met\":false");
    assert_eq!(output.status.code(), Some(i32::from(missed)));
    Ok(())
}

#[test]
fn each_measure_is_listed_under_its_lesson() -> Checked {
    for lesson in ["fork", "process", "pool", "subprocess", "threads"] {
        let output = bench(&["--list", lesson], "true")?;
        let list = text(&output.stdout);
        assert!(list.lines().count() > 0, "{lesson} has no measure");
        assert!(list.lines().all(|line| line.starts_with(&format!("{lesson}/"))), "{list}");
    }
    Ok(())
}
