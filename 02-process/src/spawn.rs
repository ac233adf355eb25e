use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use fork::{Child, Entry, PrivateFd, receive_fds, send_fds};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use serde_bytes::Bytes;

use crate::handle::Shared;
use crate::me::{self, Orders};
use crate::{paper, registry};

/// The only argument of a spawned child, as it is seen in `ps`.
const SIGN: &str = "--spawned-by-its-parent";

/// Whether a spawned child of this program would come by [`init`], and not run the program anew.
static INIT_CALLED: AtomicBool = AtomicBool::new(false);

pub(crate) fn can_spawn() -> bool {
    INIT_CALLED.load(Relaxed)
}

/// The first line of `main` in a program that spawns: a spawned child begins, and ends, here.
///
/// In every other process it does nothing but remember that it was called, because a program
/// without it would run its whole `main` again in each child, which would spawn again. Python asks
/// for `if __name__ == '__main__':` for the same reason.
///
/// A program that only forks does not need it. What a program opens before this line is closed in
/// a spawned child.
pub fn init() {
    INIT_CALLED.store(true, Relaxed);
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == SIGN) && arguments.next().is_none() {
        let code = run_spawned().unwrap_or_else(|error| {
            eprintln!("a spawned child can't begin: {error}");
            1
        });
        #[expect(clippy::disallowed_methods, reason = "this program was executed, not forked")]
        std::process::exit(code);
    }
}

/// Executes this program again, with orders and descriptors.
///
/// All of it is in a socket before the child exists, so neither waits for the other, whatever
/// becomes of either. The socket is the child's standard input at first, the one place where
/// a descriptor crosses an exec without a moment in which another child could inherit it; the real
/// one comes through the socket, with the others.
pub(crate) fn spawn(
    orders: &Orders,
    entry: Entry,
    arguments: &[u8],
    paper: &PrivateFd,
    fds: &[PrivateFd],
) -> io::Result<Child> {
    let text = (orders, entry.to_bytes(), Bytes::new(arguments));
    let text = postcard::to_stdvec(&text).map_err(io::Error::other)?;
    let written = paper::blank()?;
    paper::write(written.fd()?, &text)?;

    if fds.len() > 1 + MOST {
        let reason = format!("at most {MOST} descriptors can be handed to a spawned process");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    let stdin = io::stdin();
    let mut all = vec![stdin.as_fd(), written.fd()?, paper.fd()?];
    for fd in fds {
        all.push(fd.fd()?);
    }
    let mut command = Command::new("/proc/self/exe");
    command.arg(SIGN);
    if let Some(name) = std::env::args_os().next() {
        command.arg0(name);
    }
    // std takes an ordinary descriptor for the child's standard input, which a fork of another
    // thread would copy. It is closed with the command.
    registry::between_forks(move || {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
        send_fds(ours.as_fd(), &all)?;
        Ok(command.stdin(theirs).spawn()?.into())
    })
}

/// The kernel takes 253 in one message (unix(7), `SCM_RIGHTS`). Four are needed: standard input, the
/// orders, the answer, a daemon's tether.
const MOST: usize = 253 - 4;

/// The other side of [`spawn`].
fn run_spawned() -> io::Result<i32> {
    close_strangers();
    let mut fds = receive_fds(io::stdin().as_fd())?.into_iter();
    let (Some(stdin), Some(written), Some(paper)) = (fds.next(), fds.next(), fds.next()) else {
        return Err(io::Error::other("its parent sent no orders"));
    };
    nix::unistd::dup2_stdin(stdin)?;
    let text = paper::read(written.as_fd())?;
    drop(written);
    let (orders, entry, arguments): (Orders, [u8; 16], &Bytes) =
        postcard::from_bytes(&text).map_err(io::Error::other)?;
    let Some(entry) = Entry::from_bytes(entry) else {
        return Err(io::Error::other("its parent is another build of this program"));
    };
    let [paper] = PrivateFd::open(|| Ok([paper]))?;
    me::note_panics();
    let known = Arc::new(Shared { orders, started: OnceLock::new(), _lifeline: None });
    Ok(me::begin(known, entry, arguments, paper, fds.collect()))
}

/// Closes what came through the exec unasked: descriptors that somebody else in the parent opened
/// without close-on-exec. Called before this process has any of its own.
fn close_strangers() {
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers: Vec<i32> =
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|&number| number > 2) {
        // The listing's own is among them, and closed already.
        let _ = nix::unistd::close(number);
    }
}
