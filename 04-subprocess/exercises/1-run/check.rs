// What `run` must do. The scripts are files of the case's own, so that a shell in between shows where it is looked for.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use judge::exercise::{Case, require};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, pipe};

use super::answer::{Exit, run};

pub(crate) const CASES: &[Case] = &[
    Case::of(&exit_codes_come_back).hang("hang: a program that ended was not noticed"),
    Case::of(&arguments_arrive_as_they_are),
    Case::of(&a_signal_is_no_exit_code),
    Case::of(&a_program_that_is_not_there_is_an_error),
    Case::of(&the_program_gets_null_streams)
        .hang("hang: the program reads its stdin, which is yours; set it to null"),
    Case::of(&nothing_is_left)
        .zombie(ZOMBIE)
        .descriptor("a descriptor stays open at each call")
        .orphan("the program still runs after run has returned: wait for its end"),
];

const ZOMBIE: &str = "the command was started but not waited for: its exit code is not 0 just \
                      because spawn worked, and it stays as a zombie";

/// A shell script in a file; its name has no space.
fn script(lines: &str) -> PathBuf {
    let path = std::env::temp_dir().join("script");
    fs::write(&path, lines).expect("a file");
    path
}

judge::case!(
    fn exit_codes_come_back() {
        require(matches!(run("true", &[]), Ok(Exit::Code(0))), "`true` ends with code 0");
        let got = run("false", &[]);
        require(!matches!(got, Ok(Exit::Code(0))), ZOMBIE);
        require(
            got.is_ok(),
            &format!("`false` ran and ended with code 1: that is Ok(Code(1)), and not {got:?}"),
        );
        require(matches!(got, Ok(Exit::Code(1))), &format!("`false` ends with 1, not {got:?}"));
        let got = run("sh", &[script("exit 300").as_os_str()]);
        require(
            matches!(got, Ok(Exit::Code(44))),
            &format!("of exit code 300 the kernel keeps the low 8 bits, 44, and you say {got:?}"),
        );
    }
);

judge::case!(
    fn arguments_arrive_as_they_are() {
        let out = std::env::temp_dir().join("arguments");
        let script = script("printf '%s\\n' \"$@\" > \"${0%script}arguments\"");
        for argument in ["plain", "two words", "a;b", "$HOME", "*", "", "it's"] {
            let _ = fs::remove_file(&out);
            let got = run("sh", &[script.as_os_str(), OsStr::new(argument)]);
            let came = fs::read(&out).unwrap_or_default();
            require(
                came == format!("{argument}\n").as_bytes() && matches!(got, Ok(Exit::Code(0))),
                &format!(
                    "the argument {argument:?} arrived as {:?}: no shell may read it, give each to \
                     Command::args by itself",
                    String::from_utf8_lossy(&came).trim_end_matches('\n')
                ),
            );
        }
        let _ = fs::remove_file(&out);
        let _ = run("sh", &[script.as_os_str(), OsStr::from_bytes(b"caf\xe9")]);
        require(
            fs::read(&out).ok().as_deref() == Some(b"caf\xe9\n"),
            "an argument that is no UTF-8 arrived as another one: a file's name may have any \
             bytes, leave it an OsStr",
        );
    }
);

judge::case!(
    fn a_signal_is_no_exit_code() {
        for (name, number) in [("KILL", 9), ("TERM", 15)] {
            let got = run("sh", &[script(&format!("kill -{name} $$")).as_os_str()]);
            require(
                !matches!(got, Ok(Exit::Code(_))),
                "a program killed by a signal was reported as a normal exit: ExitStatus::code() is \
                 None then, use signal()",
            );
            require(
                got.is_ok(),
                "a program killed by a signal is no error of run: it started, and it ended",
            );
            require(
                matches!(got, Ok(Exit::Signal(signal)) if signal == number),
                &format!("a program was killed by signal {number}, and you say {got:?}"),
            );
        }
    }
);

judge::case!(
    fn a_program_that_is_not_there_is_an_error() {
        let got = run("/no/such/program", &[OsStr::new("-v")]);
        require(
            got.is_err(),
            &format!(
                "there is no such program, and you say that it ended as {got:?}: it never ran, \
                 hand on the error of the start"
            ),
        );
        let kind = got.err().map(|error| error.kind());
        require(
            kind == Some(ErrorKind::NotFound),
            &format!("the error of a missing program is NotFound, and not {kind:?}: hand it on"),
        );
    }
);

judge::case!(
    fn the_program_gets_null_streams() {
        // Whatever this process has as its streams: in this case they are pipes.
        let (rd, wr) = pipe().expect("a pipe");
        let streams = [dup2_stdin(&rd), dup2_stdout(&wr), dup2_stderr(&wr)];
        require(streams.iter().all(Result::is_ok), "the check could not set its streams");
        let out = std::env::temp_dir().join("streams");
        let script = script(
            "set -- $(for at in 0 1 2; do readlink /proc/$$/fd/$at; done)\n\
             printf '%s\\n' \"$@\" > \"${0%script}streams\"",
        );
        let _ = run("sh", &[script.as_os_str()]);
        let came = fs::read_to_string(&out).unwrap_or_default();
        for (stream, target) in ["stdin", "stdout", "stderr"].iter().zip(came.lines()) {
            require(
                target == "/dev/null",
                &format!("the program's {stream} is {target}, your own: set it to Stdio::null()"),
            );
        }
        require(came.lines().count() == 3, &format!("the program's streams are {came:?}"));
    }
);

judge::case!(
    fn nothing_is_left() {
        for _ in 0..5 {
            let _ = run("true", &[]);
            let _ = run("/no/such/program", &[]);
        }
        // Whether it has ended by now or not: a child that is still there was not waited for.
        let any = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        require(waitid(Id::All, any) == Err(Errno::ECHILD), ZOMBIE);
    }
);
