use std::io::{self, Write};
use std::time::Duration;

use subprocess::{Command, CompletedProcess, Error, Group, PIPE, StartError};

use super::Outcome;

/// Without network, nslookup itself gives up after a quarter of a minute.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) fn run(out: &mut io::Stdout) -> Outcome {
    left_alone(out)?;
    spoken_to(out)
}

fn left_alone(out: &mut io::Stdout) -> Outcome {
    writeln!(out, "$ nslookup www.python.org")?;
    let command = Command::new(["nslookup", "www.python.org"]).timeout(PATIENCE);
    // In our group, so that Ctrl-C ends both.
    match command.process_group(Group::Inherited).call() {
        Ok(status) => tell(out, status.exitcode()),
        Err(Error::Start(error)) => not_started(out, &error),
        Err(Error::Timeout(expired)) => too_late(out, expired.status.map(|it| it.exitcode())),
        Err(error) => Err(error.into()),
    }
}

fn spoken_to(out: &mut io::Stdout) -> Outcome {
    writeln!(out, "$ nslookup")?;
    let nslookup = match Command::new(["nslookup"]).stdin(PIPE).capture_output().popen() {
        Ok(nslookup) => nslookup,
        Err(error) => return not_started(out, &error),
    };
    let typed = b"set q=mx\npython.org\nexit\n";
    match nslookup.communicate_timeout(typed, PATIENCE) {
        Ok(done) => {
            show(out, &done)?;
            tell(out, done.returncode())
        }
        Err(Error::Timeout(_)) => {
            nslookup.kill_tree()?;
            // It goes on where the first one ended: what was written before the end is not lost.
            let done = nslookup.communicate(&[])?;
            show(out, &done)?;
            too_late(out, Some(done.returncode()))
        }
        Err(error) => Err(error.into()),
    }
}

fn show(out: &mut io::Stdout, done: &CompletedProcess) -> io::Result<()> {
    for text in [done.stdout_text(), done.stderr_text()] {
        write!(out, "{text}")?;
        if !text.is_empty() && !text.ends_with('\n') {
            writeln!(out)?;
        }
    }
    Ok(())
}

fn tell(out: &mut io::Stdout, code: i32) -> Outcome {
    writeln!(out, "Exit code: {code}")?;
    if code != 0 {
        writeln!(out, "Not 0: it got no answer. Is there a network?")?;
    }
    Ok(())
}

fn too_late(out: &mut io::Stdout, code: Option<i32>) -> Outcome {
    let code = code.map_or("none, it still runs".to_owned(), |code| code.to_string());
    writeln!(out, "Exit code: {code}")?;
    let secs = PATIENCE.as_secs();
    writeln!(out, "It had no answer after {secs} seconds, so it was killed. Is there a network?")?;
    Ok(())
}

fn not_started(out: &mut io::Stdout, error: &StartError) -> Outcome {
    writeln!(out, "{error}")?;
    if error.is_not_found() {
        writeln!(out, "No program, no exit code. In Debian it is in the package bind9-dnsutils.")?;
    }
    Ok(())
}
