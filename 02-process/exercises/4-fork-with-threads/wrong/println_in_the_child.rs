// Wrong: println! in the child.
// Refused by: stdout_locked_at_the_fork_does_not_stop_the_child
// Told: println! in the child waits for the stdout lock
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use std::io::Write;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Mutex;

/// The program's log. Other threads use it all the time.
pub static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub fn log(line: &str) {
    LOG.lock().unwrap_or_else(|e| e.into_inner()).push(line.to_string());
}

/// Called in a program with threads. Log "starting NAME" in the parent, then fork; the child writes `msg` to `fd`
/// and ends with code 0 (1 if the write failed). Returns the child's exit code.
/// The child uses only async-signal-safe calls: no lock, no allocation, no println!, no exit handlers.
pub fn notify_from_child(name: &str, fd: BorrowedFd, msg: &[u8]) -> nix::Result<i32> {
    log(&format!("starting {name}"));
    match unsafe { fork()? } {
        ForkResult::Child => unsafe {
            println!("child of {name}");
            let n = libc::write(fd.as_raw_fd(), msg.as_ptr().cast(), msg.len());
            libc::_exit(if n == msg.len() as isize { 0 } else { 1 })
        },
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, code) => Ok(code),
            other => panic!("{other:?}"),
        },
    }
}
