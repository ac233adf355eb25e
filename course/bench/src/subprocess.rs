//! Lesson 4: other people's programs.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{self, Stdio};
use std::thread;

use ::subprocess::{Command, PIPE};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use subprocess_rival::Exec;

use crate::limit::{self, Mapping};
use crate::measure::{Asked, Measure, Outcome, Sides, Unit};

const TRUE: &str = "/bin/true";
/// What goes through `cat`.
const INPUT: usize = 64 << 20;

pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "subprocess/call",
        job: "call /bin/true",
        unit: Unit::TimeOf("call"),
        units: 1,
        asked: &[Asked::AtMost(1.05, "std Command::status")],
        pinned: false,
        sides: call,
    },
    Measure {
        name: "subprocess/communicate",
        job: "send 64 MiB through cat, and collect them",
        unit: Unit::Bytes,
        units: INPUT as u64,
        asked: &[Asked::AtMost(1.0, "std, a thread that writes")],
        pinned: false,
        sides: communicate,
    },
];

fn call(sides: &mut Sides) -> Outcome {
    sides.ours("subprocess::call", || expect(::subprocess::call([TRUE])?.success()));
    let spawn = limit::Spawn::new(&[TRUE])?;
    sides.limit("posix_spawn, waitpid", move || Ok(spawn.run()?));
    sides.rival("std Command::status", || expect(process::Command::new(TRUE).status()?.success()));
    sides.rival("duct cmd!().run", || {
        duct::cmd!(TRUE).run()?;
        Ok(())
    });
    sides.rival("subprocess (the crate) Exec::join", || expect(Exec::cmd(TRUE).join()?.success()));
    sides.python(
        "Python subprocess.call",
        "
import subprocess
def run():
    assert subprocess.call(['/bin/true']) == 0
",
    );
    Ok(())
}

fn communicate(sides: &mut Sides) -> Outcome {
    let input: &'static [u8] = Vec::leak(vec![b'x'; INPUT]);
    sides.ours("subprocess::Popen::communicate", move || {
        let cat = Command::new(["cat"]).stdin(PIPE).stdout(PIPE).popen()?;
        let done = cat.communicate(input)?;
        expect(done.status.success() && done.stdout.len() == INPUT)
    });
    sides.limit("one thread, large pipes and pages", move || with_large_pipes(input));
    sides.rival("std, a thread that writes", move || with_a_thread(input));
    sides.rival("duct stdin_bytes, stdout_capture", move || {
        let output = duct::cmd!("cat").stdin_bytes(input).stdout_capture().run()?;
        expect(output.stdout.len() == INPUT)
    });
    sides.rival("subprocess (the crate) communicate", move || {
        let output = Exec::cmd("cat").stdin(input).capture()?;
        expect(output.stdout.len() == INPUT)
    });
    sides.python(
        "Python Popen.communicate",
        &format!(
            "
import subprocess
from subprocess import PIPE
data = b'x' * {INPUT}
def run():
    output, _ = subprocess.Popen(['cat'], stdin=PIPE, stdout=PIPE).communicate(data)
    assert len(output) == {INPUT}
"
        ),
    );
    Ok(())
}

/// How it is done with the standard library: one thread writes while the other reads.
fn with_a_thread(input: &[u8]) -> Outcome {
    let mut cat =
        process::Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = cat.stdin.take().ok_or("no stdin")?;
    let output = thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.write_all(input));
        let output = cat.wait_with_output()?;
        writer.join().map_err(|_| "the writing thread panicked")??;
        Outcome::Ok(output)
    })?;
    expect(output.status.success() && output.stdout.len() == INPUT)
}

/// The limit: no second thread, pipes of a mebibyte, so that each side finds much to do when it
/// wakes up, and an answer in huge pages. (Lending the input's pages to the pipe with `vmsplice`
/// instead of copying them was not faster.)
fn with_large_pipes(input: &[u8]) -> Outcome {
    let mut cat =
        process::Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = cat.stdin.take();
    let mut stdout = cat.stdout.take().ok_or("no stdout")?;
    for pipe in [stdin.as_ref().map(AsFd::as_fd), Some(stdout.as_fd())].into_iter().flatten() {
        fcntl(pipe, FcntlArg::F_SETPIPE_SZ(1 << 20))?;
        fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    let mut output = Mapping::huge(INPUT + 1)?;
    let (mut written, mut filled) = (0, 0);
    loop {
        let reading = PollFd::new(stdout.as_fd(), PollFlags::POLLIN);
        match &stdin {
            Some(stdin) => {
                let writing = PollFd::new(stdin.as_fd(), PollFlags::POLLOUT);
                poll(&mut [reading, writing], PollTimeout::NONE)?
            }
            None => poll(&mut [reading], PollTimeout::NONE)?,
        };
        if let Some(pipe) = &mut stdin {
            written += some(pipe.write(&input[written..]))?.unwrap_or(0);
        }
        if written == input.len() {
            stdin = None;
        }
        match some(stdout.read(&mut output[filled..]))? {
            Some(0) => break,
            bytes => filled += bytes.unwrap_or(0),
        }
    }
    expect(cat.wait()?.success() && filled == INPUT)
}

/// `None` where a read or write would have to wait.
fn some(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

fn expect(right: bool) -> Outcome {
    if right { Ok(()) } else { Err("it gave the wrong answer".into()) }
}
