use std::io::{self, Write};

use subprocess::{Command, PIPE};

use super::Outcome;

pub(crate) fn run(out: &mut io::Stdout) -> Outcome {
    writeln!(out, "$ yes | head -n 3 | nl")?;
    let line = Command::new(["yes"])
        | Command::new(["head", "-n", "3"])
        | Command::new(["nl"]).stdout(PIPE);
    let done = line.pipefail(true).run()?;
    for stage in &done.stages {
        write!(out, "{}", stage.stdout_text())?;
    }
    for stage in &done.stages {
        writeln!(out, "{:6}{}", stage.args[0].to_string_lossy(), stage.status)?;
    }
    writeln!(out, "yes writes for ever. When head has seen enough, the next write is its end.")?;
    writeln!(out, "With pipefail the whole counts as: {}", done.status())?;
    Ok(())
}
