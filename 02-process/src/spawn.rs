use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use fork::{Child, PrivateFd, receive_fds, send_fds};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use crate::me::{self, Me, Orders};

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
/// A program that only forks does not need it.
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

/// Executes this program again, and gives it its orders: the child, and where its result comes.
///
/// The socket for that is the child's standard input at first, the one place where a descriptor
/// crosses an exec without a moment in which another child could inherit it; the real one
/// follows through the socket, with the others.
pub(crate) fn spawn(
    orders: &Orders,
    watched: &PrivateFd,
    handed: &[PrivateFd],
) -> io::Result<(Child, PrivateFd)> {
    let [ours, theirs] = PrivateFd::open(|| {
        let kind = (AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC);
        let (ours, theirs) = socketpair(kind.0, kind.1, None, kind.2)?;
        Ok([ours, theirs])
    })?;
    let name = std::env::args_os().next().unwrap_or_else(|| "spawned".into());
    let child = Command::new("/proc/self/exe")
        .arg0(name)
        .arg(SIGN)
        .stdin(Stdio::from(theirs.fd()?.try_clone_to_owned()?))
        .spawn()?;
    let child = Child::from(child);
    drop(theirs);
    let told = tell(ours.fd()?, orders, watched, handed);
    if let Err(error) = told {
        // It never got its orders: nothing was begun that could be lost.
        let _ = child.signal(nix::sys::signal::Signal::SIGKILL);
        let _ = child.wait();
        return Err(error);
    }
    Ok((child, ours))
}

fn tell(
    socket: BorrowedFd<'_>,
    orders: &Orders,
    watched: &PrivateFd,
    handed: &[PrivateFd],
) -> io::Result<()> {
    let stdin = io::stdin();
    let mut fds = vec![stdin.as_fd(), watched.fd()?];
    for fd in handed {
        fds.push(fd.fd()?);
    }
    send_fds(socket, &fds)?;
    let body = postcard::to_stdvec(orders).map_err(io::Error::other)?;
    let mut whole = (body.len() as u64).to_le_bytes().to_vec();
    whole.extend(body);
    File::from(socket.try_clone_to_owned()?).write_all(&whole)
}

/// The other side of [`spawn`].
fn run_spawned() -> io::Result<i32> {
    close_strangers();
    let [socket] = PrivateFd::open(|| Ok([io::stdin().as_fd().try_clone_to_owned()?]))?;
    let mut fds = receive_fds(socket.fd()?)?.into_iter();
    let (Some(stdin), Some(watched)) = (fds.next(), fds.next()) else {
        return Err(io::Error::other("its parent sent no descriptors"));
    };
    nix::unistd::dup2_stdin(stdin)?;
    let mut stream = File::from(socket.fd()?.try_clone_to_owned()?);
    let mut len = [0; 8];
    stream.read_exact(&mut len)?;
    let mut body = Vec::new();
    (&mut stream).take(u64::from_le_bytes(len)).read_to_end(&mut body)?;
    drop(stream);
    let orders: Orders = postcard::from_bytes(&body).map_err(io::Error::other)?;
    me::note_panics();
    Ok(me::run(Me::hold(), &orders, socket, watched, fds.collect()))
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
