// Right: a thread writes, and the standard library reads both outputs.
use std::io::{self, ErrorKind, Write};
use std::process::{Command, ExitStatus, Stdio};

pub fn communicate(cmd: &mut Command, input: &[u8]) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    cmd.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = cmd.spawn()?;
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output()?;
    match writer.join().unwrap() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok((output.status, output.stdout, output.stderr)),
    }
}
