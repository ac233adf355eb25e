// Wrong: the middle process does not start a session.
// Refused by: the_worker_has_its_own_session
// Told: the middle process calls setsid()
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, pipe};
use std::fs::File;
use std::io::{Read, Write};

pub fn detach(work: impl FnOnce()) -> nix::Result<Pid> {
    let (rd, wr) = pipe()?;
    match unsafe { fork()? } {
        ForkResult::Child => {
            if let Ok(ForkResult::Child) = unsafe { fork() } {
                let sent = File::from(wr).write_all(&std::process::id().to_ne_bytes());
                drop(rd);
                if sent.is_ok() {
                    work()
                }
            }
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => {
            drop(wr);
            let mut pid = [0; 4];
            let got = File::from(rd).read_exact(&mut pid);
            waitpid(child, None)?;
            got.map_err(|_| nix::errno::Errno::ECHILD)?;
            Ok(Pid::from_raw(i32::from_ne_bytes(pid)))
        }
    }
}
