// Right: a write that took only a part is gone on with, and a signal's interruption is none.
use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, write};
use std::os::fd::BorrowedFd;
use std::sync::Mutex;

pub static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub fn log(line: &str) {
    LOG.lock().unwrap_or_else(|e| e.into_inner()).push(line.to_string());
}

fn write_all(fd: BorrowedFd, mut rest: &[u8]) -> i32 {
    while !rest.is_empty() {
        match write(fd, rest) {
            Ok(count) => rest = &rest[count..],
            Err(Errno::EINTR) => {}
            Err(_) => return 1,
        }
    }
    0
}

pub fn notify_from_child(name: &str, fd: BorrowedFd, msg: &[u8]) -> nix::Result<i32> {
    log(&format!("starting {name}"));
    let child = match unsafe { fork()? } {
        ForkResult::Child => unsafe { libc::_exit(write_all(fd, msg)) },
        ForkResult::Parent { child } => child,
    };
    loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(code),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(128 + signal as i32),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}
