use std::io::{self, Write};

use subprocess::Command;

use super::Outcome;

pub(crate) fn run(out: &mut io::Stdout) -> Outcome {
    let name = "photo.jpg; echo I could have deleted your files";
    writeln!(out, "Somebody uploads a file, and its name is: {name}")?;
    for (how, command) in [
        ("put into a shell's line", Command::shell(format!("echo received {name}"))),
        ("as an argument, without a shell", Command::new(["echo", "received", name])),
        ("as an argument of a shell's line", Command::shell("echo received \"$1\"").arg(name)),
    ] {
        writeln!(out, "The name {how}:")?;
        let output = command.check_output()?;
        String::from_utf8_lossy(&output)
            .lines()
            .try_for_each(|line| writeln!(out, "    {line}"))?;
    }
    Ok(())
}
