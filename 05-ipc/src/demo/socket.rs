use std::env::temp_dir;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::{fs, io};

use nix::sys::socket::{getsockopt, sockopt};

use super::{Outcome, code};

pub(crate) fn run() -> Outcome {
    let path = temp_dir().join(format!("ipc-demo-{}.sock", std::process::id()));
    let shown = talk(&path);
    let _ = fs::remove_file(&path);
    shown
}

fn talk(path: &Path) -> Outcome {
    let listener = UnixListener::bind(path)?;
    println!("A socket has a name, so that strangers find it: {}", path.display());
    let child = fork::fork(|| code(greet(path)))?;
    let (stream, _) = listener.accept()?;
    let who = getsockopt(&stream, sockopt::PeerCredentials)?;
    println!("    the kernel says who is there: process {}, user {}", who.pid(), who.uid());
    for line in BufReader::new(stream).lines() {
        println!("    it says {:?}", line?);
    }
    child.wait()?;
    println!("It is a stream of bytes: where a message ends is for you to say (here: the line).\n");

    drop(listener);
    println!("The server ended without removing the name, as after a crash:");
    let bound = |result: io::Result<UnixListener>| match result {
        Ok(_) => "bound".to_owned(),
        Err(error) => error.to_string(),
    };
    println!("    bind:                {}", bound(UnixListener::bind(path)));
    println!("    bind, if it is dead: {}", bound(bind(path)));
    let alive = bind(path)?;
    println!("    bind, if it lives:   {}", bound(bind(path)));
    drop(alive);
    println!("To remove the name without a look would take it from a server that lives.");
    Ok(())
}

fn greet(path: &Path) -> Outcome {
    let mut stream = UnixStream::connect(path)?;
    writeln!(stream, "hello")?;
    writeln!(stream, "and good bye")?;
    Ok(())
}

/// Listens at `path`, also if a server that is dead by now left its name there.
fn bind(path: &Path) -> io::Result<UnixListener> {
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(_) => return Err(ErrorKind::AddrInUse.into()),
    }
    UnixListener::bind(path)
}
