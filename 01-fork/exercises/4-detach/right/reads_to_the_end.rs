// Right: the second fork's result is sent by the one in the middle.
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, pipe, setsid};
use std::fs::File;
use std::io::{Read, Write};

pub fn detach(work: impl FnOnce()) -> nix::Result<Pid> {
    let (rd, wr) = pipe()?;
    match unsafe { fork()? } {
        ForkResult::Child => {
            drop(rd);
            let _ = setsid();
            match unsafe { fork() } {
                Ok(ForkResult::Child) => {
                    drop(wr);
                    work();
                }
                Ok(ForkResult::Parent { child }) => {
                    let _ = File::from(wr).write_all(&child.as_raw().to_ne_bytes());
                }
                Err(_) => {}
            }
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => {
            drop(wr);
            let mut pid = Vec::new();
            let _ = File::from(rd).read_to_end(&mut pid);
            waitpid(child, None)?;
            let pid = pid.try_into().map_err(|_| nix::errno::Errno::ECHILD)?;
            Ok(Pid::from_raw(i32::from_ne_bytes(pid)))
        }
    }
}
