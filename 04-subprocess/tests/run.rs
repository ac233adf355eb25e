//! Promises of the short way: call, check_call, check_output, run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use judge::{Judge, check, scenario};
use subprocess::{Command, DEVNULL, Error, PIPE, STDOUT, call, check_call, check_output};

fn text(output: Vec<u8>) -> String {
    String::from_utf8(output).expect("UTF-8")
}

fn called(error: &Error) -> Option<i32> {
    match error {
        Error::Called(error) => Some(error.status.exitcode()),
        _ => None,
    }
}

scenario!(
    fn calls() -> Result<(), Error> {
        check("zero", call(["true"])?.success(), "a program that ends well");
        check("code", call(["sh", "-c", "exit 3"])?.code() == Some(3), "its code is handed on");
        let killed = call(["sh", "-c", "kill -KILL $$"])?;
        check("signal", killed.exitcode() == -9 && killed.code().is_none(), "so is its signal");
        check("checked", check_call(["true"]).is_ok(), "success is no error");
        let failed = check_call(["sh", "-c", "exit 3"]).err();
        check(
            "failed",
            failed.as_ref().and_then(called) == Some(3),
            "failure is one, with its code",
        );
        Ok(())
    }
);

#[test]
fn call_tells_how_it_ended_and_check_call_makes_failure_an_error() {
    let checks = ["zero", "code", "signal", "checked", "failed"];
    Judge::scenario(&calls).declare(checks).run().assert_clean();
}

scenario!(
    fn collects() -> Result<(), Error> {
        check("output", check_output(["echo", "hello"])? == b"hello\n", "its output comes back");
        let both = Command::shell("echo out; echo err >&2; exit 7");
        let error = both.capture_output().check_output().err();
        let carried = match &error {
            Some(Error::Called(error)) => {
                error.stdout == b"out\n" && error.stderr == b"err\n" && error.args.len() == 4
            }
            _ => false,
        };
        check("carried", carried, "an error carries what was collected, and who it was");
        let said = error.map(|error| error.to_string()).unwrap_or_default();
        check("said", said.ends_with("ended with exit code 7: err"), &said);

        let done = Command::shell("echo out; echo err >&2; exit 7").capture_output().run()?;
        let whole = (done.returncode(), &*done.stdout_text(), &*done.stderr_text());
        check(
            "run",
            whole == (7, "out\n", "err\n"),
            "run tells all of it, and no code is an error",
        );
        check(
            "plain",
            subprocess::run(["true"])?.stdout.is_empty(),
            "what was not asked for is empty",
        );
        let merged = Command::shell("echo a; echo b >&2; echo c").stderr(STDOUT).check_output()?;
        check("merged", merged == b"a\nb\nc\n", "stderr into stdout, in the order of writing");
        let silent = Command::shell("echo a; echo b >&2").stdout(DEVNULL).stderr(PIPE).run()?;
        check("null", silent.stdout.is_empty() && silent.stderr == b"b\n", "/dev/null swallows");
        let empty = Command::new(["cat"]).stdin(DEVNULL).check_output()?;
        check("nothing", empty.is_empty(), "and has nothing to read");
        let echo = Command::new(["cat"]).input("typed").check_output()?;
        check("input", echo == b"typed", "input is written, and ends");
        Ok(())
    }
);

#[test]
fn run_and_check_output_collect_what_a_program_writes() {
    let checks =
        ["output", "carried", "said", "run", "plain", "merged", "null", "nothing", "input"];
    Judge::scenario(&collects).declare(checks).run().assert_clean();
}

scenario!(
    fn redirects_to_files() -> Result<(), Box<dyn std::error::Error>> {
        let folder = std::env::temp_dir();
        let (input, output) = (folder.join("input"), folder.join("output"));
        fs::write(&input, "from a file")?;
        let (from, to) = (fs::File::open(&input)?, fs::File::create(&output)?);
        Command::new(["tr", "a-z", "A-Z"]).stdin(from).stdout(to).check_call()?;
        check("files", fs::read(&output)? == b"FROM A FILE", "it reads one and writes the other");
        fs::remove_file(input)?;
        fs::remove_file(output)?;
        Ok(())
    }
);

#[test]
fn input_and_output_may_be_files() {
    Judge::scenario(&redirects_to_files).declare(["files"]).run().assert_clean();
}

scenario!(
    fn hands_words_over() -> Result<(), Error> {
        let odd = ["; exit 9", "$HOME", "a  b", "*", "`id`", "'", "\"", "-n", "\n", ""];
        let printf = ["printf", "%s|"].into_iter().chain(odd);
        let expected: String = odd.iter().flat_map(|word| [*word, "|"]).collect();
        check("words", text(check_output(printf)?) == expected, "each arrives as it is");
        let shell = Command::shell("echo $((1 + 1)) \"$1\"").arg("; exit 9").check_output()?;
        check(
            "shell",
            shell == b"2 ; exit 9\n",
            "a shell's line is a shell's, its argument is not",
        );
        Ok(())
    }
);

#[test]
fn no_shell_reads_the_arguments_unless_it_is_asked_for() {
    Judge::scenario(&hands_words_over).declare(["words", "shell"]).run().assert_clean();
}

scenario!(
    fn changes_the_environment() -> Result<(), Error> {
        let env = || Command::new(["/usr/bin/env"]);
        let exactly = env().env_clear().env("B", "two words").env("A", "").check_output()?;
        check("cleared", exactly == b"A=\nB=two words\n", "cleared, it has what was set alone");
        let inherited = text(env().env("SET", "1").env_remove("GIVEN").check_output()?);
        let has = |line| inherited.lines().any(|it| it == line);
        check("inherited", has("KEPT=kept") && has("SET=1"), "else ours, and what was set");
        check("removed", !inherited.contains("GIVEN"), "without what was removed");
        let of_the_child = Command::new(["env"]).env("PATH", "/no/such/folder").run();
        let not_found = match of_the_child {
            Err(Error::Start(error)) => error.is_not_found(),
            _ => false,
        };
        check("path", not_found, "the program is looked for in its own PATH");
        Ok(())
    }
);

#[test]
fn the_environment_is_what_was_asked_for() {
    let judge = Judge::scenario(&changes_the_environment).env("KEPT", "kept").env("GIVEN", "x");
    judge.declare(["cleared", "inherited", "removed", "path"]).run().assert_clean();
}

scenario!(
    fn changes_the_directory() -> Result<(), Box<dyn std::error::Error>> {
        let folder: PathBuf = std::env::temp_dir().canonicalize()?.join("there");
        fs::create_dir(&folder)?;
        let before = std::env::current_dir()?;
        let there = text(Command::new(["pwd"]).cwd(&folder).check_output()?);
        check("there", there.trim_end() == folder.to_str().unwrap_or_default(), &there);
        check("here", std::env::current_dir()? == before, "ours is what it was");

        let script = folder.join("our-script");
        fs::write(&script, "#!/bin/sh\necho found\n")?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        let relative = Command::new(["./our-script"]).cwd(&folder).check_output()?;
        check("relative", relative == b"found\n", "a relative path starts there");
        let in_path =
            Command::new(["our-script"]).env("PATH", "/bin:").cwd(&folder).check_output()?;
        check("path", in_path == b"found\n", "so does an empty entry of PATH");
        fs::remove_dir_all(folder)?;
        Ok(())
    }
);

#[test]
fn the_working_directory_is_what_was_asked_for() {
    let judge = Judge::scenario(&changes_the_directory);
    judge.declare(["there", "here", "relative", "path"]).run().assert_clean();
}
