use std::io::{self, Write};

use subprocess::Command;

use super::Outcome;

pub(crate) fn run(out: &mut io::Stdout) -> Outcome {
    let exits = Command::shell("exit 3");
    let killed = Command::shell("kill -KILL $$");
    let complains = Command::new(["ls", "/no/such/file"]).capture_output().check(true);
    for (what, command) in [
        ("It ends well", Command::new(["true"])),
        ("It ends with 3", exits),
        ("A signal ends it", killed),
        ("It was to end well", complains),
        ("There is no such program", Command::new(["no-such-program"])),
        ("It is no program", Command::new(["/etc/passwd"])),
        ("There is no such directory", Command::new(["true"]).cwd("/no/such/directory")),
        ("A name can't have a `=`", Command::new(["true"]).env("A=B", "")),
    ] {
        match command.run() {
            Ok(done) => writeln!(out, "{what}: {}; in Python {}", done.status, done.returncode())?,
            Err(error) => writeln!(out, "{what}: {error}")?,
        }
    }
    Ok(())
}
