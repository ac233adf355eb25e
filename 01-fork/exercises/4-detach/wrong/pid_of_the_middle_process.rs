// Wrong: it returns the pid of the middle process.
// Refused by: the_pid_is_the_workers
// Told: the pid you returned is the middle process
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, getpid, pipe, setsid};
use std::fs::File;
use std::io::{Read, Write};

/// Run `work` in a process that is not our child (double fork) and lives in a session of its own.
/// Returns the pid of that process. Leaves no zombie now or later, and no open descriptor.
pub fn detach(work: impl FnOnce()) -> nix::Result<Pid> {
    let (rd, wr) = pipe()?;
    match unsafe { fork()? } {
        ForkResult::Child => {
            let _ = setsid();
            match unsafe { fork() } {
                Ok(ForkResult::Child) => {
                    let sent = File::from(wr).write_all(&getpid().as_raw().to_ne_bytes()).is_ok();
                    drop(rd);
                    if sent { work() }
                    unsafe { libc::_exit(0) }
                }
                _ => unsafe { libc::_exit(0) },
            }
        }
        ForkResult::Parent { child } => {
            drop(wr);
            let mut pid = [0; 4];
            let got = File::from(rd).read_exact(&mut pid);
            waitpid(child, None)?;
            got.map_err(|_| nix::errno::Errno::ECHILD)?;
            Ok(child)
        }
    }
}
