// Wrong: the child ends with exit, and so runs the program's exit handlers.
// Refused by: no_exit_handler_runs_in_the_child
// Told: the child ran the program's exit handlers
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Mutex;

pub static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub fn log(line: &str) {
    LOG.lock().unwrap_or_else(|e| e.into_inner()).push(line.to_string());
}

pub fn notify_from_child(name: &str, fd: BorrowedFd, msg: &[u8]) -> nix::Result<i32> {
    log(&format!("starting {name}"));
    match unsafe { fork()? } {
        ForkResult::Child => {
            let n = unsafe { libc::write(fd.as_raw_fd(), msg.as_ptr().cast(), msg.len()) };
            unsafe { libc::exit(if n == msg.len() as isize { 0 } else { 1 }) }
        }
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, code) => Ok(code),
            other => panic!("{other:?}"),
        },
    }
}
