use std::env;
use std::io::{self, Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use subprocess::{Command, Error, PIPE};

use super::Outcome;

/// What `deadlock` starts this program with, to watch it hang.
pub(crate) const NAIVE: &str = "naive";
const MIB: usize = 1 << 20;

pub(crate) fn run(out: &mut io::Stdout) -> Outcome {
    writeln!(out, "1 MiB is to go through `cat`. First all of it is written, then all is read:")?;
    let naive = Command::new([env::current_exe()?.into_os_string(), NAIVE.into()]);
    match naive.timeout(Duration::from_secs(1)).call() {
        Err(Error::Timeout(_)) => writeln!(
            out,
            "    after a second, nothing. cat waits until somebody reads what it wrote: a pipe\n    \
             holds 64 KiB. We would read, after cat has read what we write. It was killed."
        )?,
        Ok(status) => writeln!(out, "    {status}: has a pipe here so much room?")?,
        Err(error) => return Err(error.into()),
    }
    let start = Instant::now();
    let cat = Command::new(["cat"]).stdin(PIPE).stdout(PIPE).popen()?;
    let done = cat.communicate(&vec![b'x'; MIB])?;
    writeln!(out, "With `communicate`, which writes and reads at the same time:")?;
    writeln!(out, "    {} bytes came back, in {:.1?}.", done.stdout.len(), start.elapsed())?;
    Ok(())
}

/// With the standard library, and wrong: it never ends.
pub(crate) fn naive(_: &mut io::Stdout) -> Outcome {
    let mut cat =
        std::process::Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = cat.stdin.take() {
        stdin.write_all(&vec![b'x'; MIB])?;
    }
    if let Some(mut stdout) = cat.stdout.take() {
        stdout.read_to_end(&mut Vec::new())?;
    }
    cat.wait()?;
    Ok(())
}
