// Wrong: a signal counts as exit code 0.
// Refused by: a_stage_that_ends_early_ends_the_ones_before
// Told: which is None
use std::io::{self, PipeReader, Read};
use std::process::{Command, Stdio};

/// Connect the stages like `a | b | c` (at least one): stdin of the first is null, stderr is inherited.
/// Returns the output of the last stage and the exit code of every stage (None: killed by a signal, e.g. SIGPIPE).
/// All stages run at the same time and are reaped.
pub fn pipeline(stages: &[&[&str]]) -> io::Result<(Vec<u8>, Vec<Option<i32>>)> {
    let mut children = Vec::new();
    let mut prev: Option<PipeReader> = None;
    for stage in stages {
        let (rd, wr) = io::pipe()?;
        let stdin = prev.take().map_or(Stdio::null(), Stdio::from);
        children.push(Command::new(stage[0]).args(&stage[1..]).stdin(stdin).stdout(wr).spawn()?);
        prev = Some(rd);
    }
    let mut out = Vec::new();
    prev.unwrap().read_to_end(&mut out)?;
    let codes = children
        .iter_mut()
        .map(|c| Ok(Some(c.wait()?.code().unwrap_or(0))))
        .collect::<io::Result<_>>()?;
    Ok((out, codes))
}
