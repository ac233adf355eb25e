//! The lesson's first demo: a server, a master and two workers, each a process of its own.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use distributed::{Key, Manager};

use crate::demo::{Failure, Outcome};

/// In the environment of a process that ends with the one which started it.
pub(crate) const TETHERED: &str = "DISTRIBUTED_TETHERED";

pub(crate) fn run() -> Outcome {
    let mut crew = Crew::new()?;
    let address = crew.serve()?;

    let master = crew.start(&["master", "--connect", &address.to_string()])?;
    let (told, lines) = channel();
    std::thread::spawn(move || master.lines().try_for_each(|line| told.send(line)));
    let mut out = io::stdout();
    loop {
        let line = match lines.recv_timeout(Duration::from_secs(1)) {
            Ok(line) => line?,
            Err(RecvTimeoutError::Timeout) => {
                crew.check()?;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        writeln!(out, "{line}")?;
        if line == "Try get results..." {
            // Now there is something to do.
            for _ in 0..2 {
                crew.start_beside(&["worker", "--connect", &address.to_string()])?;
            }
        }
    }
    let server = crew.members.remove(0);
    crew.wait()?;
    Manager::connect(address, &crew.key())?.shutdown()?;
    crew.members.push(server);
    crew.wait()
}

/// The processes of the demo. Each ends when the pipe at its standard input does: at the latest with us.
pub(crate) struct Crew {
    secret: String,
    members: Vec<(String, Child)>,
}

impl Crew {
    pub(crate) fn new() -> io::Result<Crew> {
        Ok(Crew { secret: secret()?, members: Vec::new() })
    }

    pub(crate) fn key(&self) -> Key {
        Key::new(self.secret.as_bytes())
    }

    /// Starts the server, and says where it is.
    pub(crate) fn serve(&mut self) -> Result<SocketAddr, Failure> {
        let mut line = String::new();
        self.start(&["serve", "--listen", "127.0.0.1:0"])?.read_line(&mut line)?;
        Ok(line.trim_end().rsplit(' ').next().unwrap_or_default().parse()?)
    }

    fn start(&mut self, line: &[&str]) -> Result<BufReader<ChildStdout>, Failure> {
        let mut child = self.command(line)?.stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().ok_or("no pipe")?;
        self.members.push((line[0].to_owned(), child));
        Ok(BufReader::new(out))
    }

    fn start_beside(&mut self, line: &[&str]) -> Outcome {
        let child = self.command(line)?.spawn()?;
        self.members.push((line[0].to_owned(), child));
        Ok(())
    }

    /// What it prints is not for this command's reader.
    pub(crate) fn start_silent(&mut self, line: &[&str]) -> Outcome {
        let child = self.command(line)?.stdout(Stdio::null()).spawn()?;
        self.members.push((line[0].to_owned(), child));
        Ok(())
    }

    /// Whether somebody is left to work, or has not come yet.
    pub(crate) fn check(&mut self) -> Outcome {
        let mut ended = Vec::new();
        for (_, child) in self.members.iter_mut().filter(|(name, _)| name == "worker") {
            match child.try_wait()? {
                None => return Ok(()),
                Some(status) => ended.push(status),
            }
        }
        if ended.is_empty() {
            Ok(())
        } else if ended.iter().all(ExitStatus::success) {
            // While there is something to do, a worker ends by itself only when nobody reads what it prints.
            Err(io::Error::from(io::ErrorKind::BrokenPipe).into())
        } else {
            Err("the workers have ended before the job was done".into())
        }
    }

    fn command(&self, line: &[&str]) -> io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(line).env("AUTHKEY", &self.secret).env(TETHERED, "1").stdin(Stdio::piped());
        Ok(command)
    }

    fn wait(&mut self) -> Outcome {
        for (name, mut child) in std::mem::take(&mut self.members) {
            // `wait` would close its standard input, and so end it.
            let held = child.stdin.take();
            let status = child.wait()?;
            drop(held);
            if !status.success() {
                return Err(format!("the {name} ended with {status}").into());
            }
        }
        Ok(())
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        // The server is the last one: whoever outlived it would complain.
        for (_, child) in self.members.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Nobody else has it.
pub(crate) fn secret() -> io::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// In a process of the crew: ends it with the demo, however that ends.
pub(crate) fn tether() {
    if std::env::var_os(TETHERED).is_some() {
        std::thread::spawn(|| {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            #[expect(clippy::disallowed_methods, reason = "this is no forked child")]
            std::process::exit(1);
        });
    }
}
