//! The first process of an isolated program's namespace: it starts the program, notes how that
//! ended, and reaps whoever has no parent there. The kernel ends the namespace with it.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout};

use crate::{folder, role};

pub(crate) fn main() -> i32 {
    // The supervisor may be killed: then nobody is there for whom this could be of use.
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    let folder = PathBuf::from(std::env::var_os(role::FOLDER).unwrap_or_default());
    let started = Command::new("/proc/self/exe").env(role::VARIABLE, role::CASE).spawn();
    let Ok(program) = started else { return 127 };
    // The program's own pipes: held here, they would never come to an end.
    if let Ok(null) = File::options().read(true).write(true).open("/dev/null") {
        let _ = (dup2_stdin(&null), dup2_stdout(&null), dup2_stderr(&null));
    }
    loop {
        let (pid, kind, number) = match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) => (pid, "exited", code),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, "signaled", signal as i32),
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(_) => return 0,
        };
        if pid.as_raw() == program.id().cast_signed() {
            let _ = folder::publish(&folder, folder::STATUS, &format!("{kind} {number}"));
        }
    }
}
