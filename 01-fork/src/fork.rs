use std::io::{self, Stdout, Write};
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::child::Abandoned;
use crate::private::Registry;
use crate::{Child, ForkError, PrivateFd, lock};

/// The exit code of a child whose closure panicked: the one that Rust gives to a panicking `main`.
const PANICKED: i32 = 101;

/// Splits this process in two: the copy runs `child` and ends with the code that it returns.
///
/// Unlike a thread, the copy shares no memory with its parent from here on, and of the parent's
/// threads only the one that called `fork` exists in it. Unlike `os.fork()`, which returns twice,
/// the child never comes back into the caller: not by returning, not by a panic (exit code 101, the
/// message on stderr), and it runs none of the parent's exit handlers or destructors.
///
/// What was buffered on stdout is written before the fork, so that it is printed once. What
/// `child` owns exists twice from here on, and is dropped once in each process: borrow what must
/// stay the parent's alone.
///
/// Only the low 8 bits of the code reach the parent: `256` arrives as `0`.
///
/// A program with other threads may fork, but the child inherits their locks as they were at that
/// moment, and nobody is left to open them. This function waits until the locks of stdout, stderr
/// and this library are free, and the C library does the same for its allocator; for every other
/// lock see [`Lock`](crate::Lock), or fork before you start threads.
///
/// # Errors
///
/// [`ForkError`] when the kernel refuses, most often for a limit on processes (`EAGAIN`).
///
/// Source: [fork(2)](https://man7.org/linux/man-pages/man2/fork.2.html),
/// [_exit(2)](https://man7.org/linux/man-pages/man2/_exit.2.html).
pub fn fork(child: impl FnOnce() -> i32) -> Result<Child, ForkError> {
    fork_handing(Vec::new(), |_| child())
}

/// As [`fork`](fork()), and hands `fds` over, in their order: they are open in the child only.
///
/// Every other [`PrivateFd`] is closed in the child. This is how a pipe gets its two ends into two
/// processes without a third end left open in either.
///
/// # Errors
///
/// As [`fork`](fork()); `EBADF`, before anything is forked, when one of `fds` belongs to another
/// process (a child's copy of a [`PrivateFd`] of its parent). `fds` are closed then.
pub fn fork_handing(
    fds: Vec<PrivateFd>,
    child: impl FnOnce(Vec<OwnedFd>) -> i32,
) -> Result<Child, ForkError> {
    split(None, fds, |_, fds| child(fds))
}

/// As [`fork_handing`], and `shared` is open in both: it stays here, and is in the child a private
/// descriptor of the child's own, under the same number.
///
/// Unlike a second descriptor that is handed over, it costs neither process anything.
///
/// # Errors
///
/// As [`fork_handing`]; `EBADF` also when `shared` belongs to another process.
pub fn fork_sharing(
    shared: &PrivateFd,
    fds: Vec<PrivateFd>,
    child: impl FnOnce(PrivateFd, Vec<OwnedFd>) -> i32,
) -> Result<Child, ForkError> {
    split(Some(shared), fds, |shared, fds| match shared {
        Some(shared) => child(shared, fds),
        None => unreachable!("it was shared"),
    })
}

fn split(
    shared: Option<&PrivateFd>,
    fds: Vec<PrivateFd>,
    child: impl FnOnce(Option<PrivateFd>, Vec<OwnedFd>) -> i32,
) -> Result<Child, ForkError> {
    if let Some(Err(_)) = shared.map(PrivateFd::fd) {
        return Err(ForkError::not_handed(0, 1));
    }
    if let Some(foreign) = fds.iter().position(|private| private.fd().is_err()) {
        return Err(ForkError::not_handed(foreign, fds.len()));
    }
    // Held across the fork: whoever is in the middle of a line finishes it first, and in the child
    // the locks belong to its only thread. Flushed, or both processes would print the same bytes.
    // Always in this order, so that two forks at once don't each hold what the other one needs.
    let stdout = io::stdout();
    let mut locked = stdout.lock();
    let _ = locked.flush();
    // Nothing is buffered there: in a process of one thread nobody could hold it at the fork.
    let stderr = if lock::alone() { None } else { Some(io::stderr().lock()) };
    let mut abandoned = Abandoned::hold();
    abandoned.reap();
    let mut registry = Registry::hold();
    let thread = lock::thread();

    // SAFETY: the child runs `in_child` only, which never returns into the frames of the caller.
    // - The allocator is usable in the child: the C library's own fork handlers see to it.
    // - The locks of std's output and of this library are held by this very thread.
    // - Locks of others may stay shut for ever in the child: a deadlock, not undefined behaviour.
    match unsafe { libc::fork() } {
        -1 => Err(ForkError::refused(io::Error::last_os_error())),
        0 => {
            lock::enter_child(thread);
            let (shared, fds) = registry.enter_child(shared, fds);
            drop((registry, abandoned, stderr, locked));
            in_child(stdout, || child(shared, fds))
        }
        pid => {
            abandoned.forget(pid);
            drop((registry, abandoned));
            // Only the child's from now on: a pipe's reader here must not be its writer as well.
            drop(fds);
            Ok(Child::new(pid))
        }
    }
}

/// Runs the closure and ends the process, whatever the closure does.
fn in_child(mut stdout: Stdout, child: impl FnOnce() -> i32) -> ! {
    let code = catch_unwind(AssertUnwindSafe(child)).unwrap_or_else(|payload| {
        // A payload's destructor may panic again, with nobody left to catch it.
        let _never_dropped = ManuallyDrop::new(payload);
        PANICKED
    });
    // A full disk or a closed pipe is no reason to change the code.
    let _ = catch_unwind(AssertUnwindSafe(|| stdout.flush()));
    // SAFETY: `_exit` takes any code, and runs nothing of the parent's.
    unsafe { libc::_exit(code) }
}
