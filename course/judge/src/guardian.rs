//! The process above the supervisor, which the program's parent may be killed or stopped without:
//! it sets the supervisor going again, and ends everything when it is gone.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::{folder, group, role, sweep};

/// Its exit code when the supervisor was killed.
pub(crate) const LOST: i32 = 3;

pub(crate) fn main() -> i32 {
    // What the supervisor had adopted comes here when it is killed.
    let _ = nix::sys::prctl::set_child_subreaper(true);
    let made = folder::make();
    let mut command = Command::new("/proc/self/exe");
    command.arg0("judge-supervisor").env(role::VARIABLE, role::SUPERVISOR);
    if let Ok(folder) = &made {
        command.env(role::FOLDER, folder);
    }
    // A program that kills its parent's group kills the supervisor only.
    command.process_group(0).stdin(Stdio::inherit());
    let code = match command.spawn() {
        Ok(supervisor) => attend(Pid::from_raw(supervisor.id().cast_signed())),
        Err(_) => 1,
    };
    sweep::end_below(std::process::id().cast_signed());
    if let Ok(folder) = made {
        group::end(&folder);
        let _ = folder::remove(&folder);
    }
    code
}

/// Waits until the supervisor has ended, and lets nobody stop it.
fn attend(supervisor: Pid) -> i32 {
    loop {
        match waitpid(None, Some(WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::Stopped(pid, _)) if pid == supervisor => {
                let _ = kill(supervisor, Signal::SIGCONT);
            }
            Ok(WaitStatus::Exited(pid, code)) if pid == supervisor => return code,
            Ok(WaitStatus::Signaled(pid, _, _)) if pid == supervisor => return LOST,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return LOST,
        }
    }
}
