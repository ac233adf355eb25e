// Wrong: it logs after the fork, in both processes.
// Refused by: without_threads_message_and_code_arrive
// Told: the parent's log has
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Mutex;

pub static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub fn log(line: &str) {
    LOG.lock().unwrap_or_else(|e| e.into_inner()).push(line.to_string());
}

pub fn notify_from_child(name: &str, fd: BorrowedFd, msg: &[u8]) -> nix::Result<i32> {
    match unsafe { fork()? } {
        ForkResult::Child => unsafe {
            log(&format!("starting {name}"));
            let n = libc::write(fd.as_raw_fd(), msg.as_ptr().cast(), msg.len());
            libc::_exit(if n == msg.len() as isize { 0 } else { 1 })
        },
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, code) => Ok(code),
            other => panic!("{other:?}"),
        },
    }
}
