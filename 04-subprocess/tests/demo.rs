//! The demo, seen from outside: what each subcommand prints, and which code it ends with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use judge::{Judge, Report};

const DEMO: &str = env!("CARGO_BIN_EXE_subprocess");

fn demo(arguments: &[&str]) -> Report {
    Judge::program(DEMO).args(arguments).run()
}

/// What it prints, after a run without a fault.
fn printed(arguments: &[&str]) -> String {
    let report = demo(arguments);
    report.assert_clean();
    report.stdout()
}

/// A folder for `PATH` with this script as `nslookup` in it, gone in the end.
struct Fake(PathBuf);

impl Fake {
    fn nslookup(name: &str, script: &str) -> Fake {
        let folder = std::env::temp_dir().join(format!("fake-{}-{name}", std::process::id()));
        let file = folder.join("nslookup");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is ours");
        Fake(folder)
    }

    /// The demo without arguments, with this folder before all others.
    fn run(&self) -> Report {
        let path = std::env::var("PATH").unwrap_or_default();
        Judge::program(DEMO).env("PATH", format!("{}:{path}", self.0.display())).run()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn without_a_command_nslookup_answers_alone_and_when_it_is_spoken_to() {
    let script = "if [ $# -gt 0 ]; then echo \"answer to $1\"; \
                  else while read line && [ \"$line\" != exit ]; do echo \"> $line\"; done; fi";
    let report = Fake::nslookup("answers", script).run();
    report.assert_clean();
    assert_eq!(
        report.stdout(),
        "$ nslookup www.python.org\nanswer to www.python.org\nExit code: 0\n\
         $ nslookup\n> set q=mx\n> python.org\nExit code: 0\n"
    );
}

#[test]
fn without_a_network_it_says_so_and_does_not_wait_for_long() {
    // It gives up by itself only when we are not interested any more, as do its children.
    let silent = Fake::nslookup("silent", "echo ';; no answer yet'; sleep 60 & wait").run();
    silent.assert_clean();
    let said = "It had no answer after 3 seconds, so it was killed. Is there a network?";
    let part = format!(";; no answer yet\nExit code: -9\n{said}\n");
    assert_eq!(silent.stdout(), format!("$ nslookup www.python.org\n{part}$ nslookup\n{part}"));
    assert!(silent.elapsed() < Duration::from_secs(15), "{:?}", silent.elapsed());

    let refused = Fake::nslookup("refused", "echo ';; refused'; echo why >&2; exit 1").run();
    refused.assert_clean();
    let part = ";; refused\nExit code: 1\nNot 0: it got no answer. Is there a network?\n";
    assert_eq!(
        refused.stdout(),
        format!(
            "$ nslookup www.python.org\n{part}$ nslookup\n{}",
            part.replacen('\n', "\nwhy\n", 1)
        )
    );
}

#[test]
fn without_nslookup_it_names_the_package() {
    let report = Judge::program(DEMO).env("PATH", "/no/such/folder").run();
    report.assert_clean();
    let stdout = report.stdout();
    assert_eq!(stdout.matches("No such file or directory").count(), 2, "{stdout}");
    assert_eq!(stdout.matches("package bind9-dnsutils").count(), 2, "{stdout}");
}

#[test]
fn call_hands_on_the_exit_code_and_all_arguments() {
    let codes = [
        (&["true"][..], 0),
        (&["sh", "-c", "exit 3"], 3),
        (&["sh", "-c", "kill -TERM $$"], 143),
        (&["no-such-program"], 127),
        (&["/etc/passwd"], 126),
    ];
    for (program, code) in codes {
        let report = demo(&[&["call"], program].concat());
        assert_eq!(report.code(), Some(code), "{program:?}\n{report}");
        report.assert_nothing_left();
    }
    assert_eq!(printed(&["call", "echo", "--help", "-x", "two words"]), "--help -x two words\n");
}

#[test]
fn communicate_sends_its_input_and_prints_both_outputs() {
    let input: Vec<u8> = (0..1_u32 << 20).map(|index| (index % 253) as u8).collect();
    let report = Judge::program(DEMO).args(["communicate", "cat"]).stdin(input.clone()).run();
    report.assert_clean();
    assert!(report.stdout_bytes() == input, "all of it, unchanged");
    let report = demo(&["communicate", "sh", "-c", "echo out; echo err >&2; exit 5"]);
    assert_eq!((report.code(), &*report.stdout(), &*report.stderr()), (Some(5), "out\n", "err\n"));
    assert_eq!(demo(&["communicate", "no-such-program"]).code(), Some(127));
}

#[test]
fn codes_tells_apart_what_can_happen() {
    let printed = printed(&["codes"]);
    for expected in [
        "It ends well: exit code 0; in Python 0\n",
        "It ends with 3: exit code 3; in Python 3\n",
        "A signal ends it: killed by signal 9 (SIGKILL); in Python -9\n",
        "There is no such program: can't start `no-such-program`: program ",
        "There is no such directory: can't start `true`: working directory ",
        "A name can't have a `=`: can't start `true`: environment variable \"A=B\": ",
    ] {
        assert!(printed.contains(expected), "{expected}\n{printed}");
    }
}

#[test]
fn shell_obeys_the_name_of_a_file_and_an_argument_does_not() {
    let printed = printed(&["shell"]);
    let obeyed = "\n    I could have deleted your files\n";
    assert_eq!(printed.matches(obeyed).count(), 1, "{printed}");
    let literal = "\n    received photo.jpg; echo I could have deleted your files\n";
    assert_eq!(printed.matches(literal).count(), 2, "{printed}");
}

#[test]
fn deadlock_hangs_without_communicate_and_not_with_it() {
    let printed = printed(&["deadlock"]);
    assert!(printed.contains("    after a second, nothing."), "{printed}");
    assert!(printed.contains("    1048576 bytes came back, in "), "{printed}");
}

#[test]
fn timeout_leaves_nobody() {
    let report = demo(&["timeout"]);
    report.assert_clean();
    let printed = report.stdout();
    assert!(printed.contains(") has ended\n") && !printed.contains("still runs"), "{printed}");
    assert!(printed.ends_with("killed by signal 9 (SIGKILL)\n"), "{printed}");
}

#[test]
fn pipeline_shows_what_came_through_and_each_status() {
    let printed = printed(&["pipeline"]);
    let expected = "$ yes | head -n 3 | nl\n     1\ty\n     2\ty\n     3\ty\n\
                    yes   killed by signal 13 (SIGPIPE)\nhead  exit code 0\nnl    exit code 0\n";
    assert!(printed.starts_with(expected), "{printed}");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    for command in ["codes", "shell", "pipeline", "--help"] {
        let line = "\"$1\" \"$2\" | true; exec \"$1\" \"$2\" >&-";
        let report = Judge::program("/bin/sh").args(["-c", line, "sh", DEMO, command]).run();
        assert!(!report.stderr().contains("panicked"), "{command}: {}", report.stderr());
        report.assert_nothing_left();
    }
}

#[test]
fn a_command_that_does_not_exist_is_an_error_with_code_2() {
    for wrong in [&["calls"][..], &["call"], &["communicate"], &["codes", "x"], &["--folk"]] {
        let report = demo(wrong);
        assert_eq!((report.code(), report.stdout().as_str()), (Some(2), ""), "{wrong:?}");
        assert!(report.stderr().starts_with("subprocess: "), "{}", report.stderr());
        assert!(report.stderr().ends_with("\nTry `subprocess --help`.\n"), "{}", report.stderr());
    }
}

#[test]
fn help_names_every_command() {
    for option in [&["-h"][..], &["--help"], &["codes", "--help"], &["call", "--help"]] {
        let printed = printed(option);
        for command in ["call", "communicate", "codes", "shell", "deadlock", "timeout", "pipeline"]
        {
            assert!(printed.contains(&format!("\n  {command} ")), "{command}");
        }
    }
}

#[test]
fn it_runs_on_a_terminal_and_from_any_folder() {
    let report = Judge::program(DEMO).arg("shell").terminal(true).dir(Path::new("/")).run();
    report.assert_clean();
    assert!(report.stdout().contains("received"), "{report}");
}
