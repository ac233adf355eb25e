// Right: the standard library makes the pipes, and stages are started from the first to the last.
use std::io;
use std::process::{Child, Command, Stdio};

pub fn pipeline(stages: &[&[&str]]) -> io::Result<(Vec<u8>, Vec<Option<i32>>)> {
    let mut children: Vec<Child> = Vec::new();
    for stage in stages {
        let before = children.last_mut().and_then(|child| child.stdout.take());
        let stdin = before.map_or_else(Stdio::null, Stdio::from);
        let (program, args) = stage.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        children.push(command.args(args).stdin(stdin).stdout(Stdio::piped()).spawn()?);
    }
    let last = children.pop().ok_or(io::ErrorKind::InvalidInput)?.wait_with_output()?;
    let mut codes = Vec::new();
    for mut child in children {
        codes.push(child.wait()?.code());
    }
    codes.push(last.status.code());
    Ok((last.stdout, codes))
}
