// Wrong: it reads stderr to its end, and then stdout.
// Refused by: a_large_stdout_arrives
// Told: you read stderr to its end first
use std::io::{self, ErrorKind, Read, Write};
use std::process::{Command, ExitStatus, Stdio};

/// Start `cmd`, write `input` to its stdin and close it, collect stdout and stderr, wait for the end.
/// Works for any sizes and any order in which the child reads and writes.
/// A child that does not read its whole stdin (EPIPE) is not an error.
pub fn communicate(cmd: &mut Command, input: &[u8]) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let mut child =
        cmd.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    std::thread::scope(|s| -> io::Result<()> {
        let writer = s.spawn(move || match stdin.write_all(input) {
            Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e),
            _ => Ok(()),
        });
        stderr.read_to_end(&mut err)?;
        stdout.read_to_end(&mut out)?;
        writer.join().unwrap()
    })?;
    Ok((child.wait()?, out, err))
}
