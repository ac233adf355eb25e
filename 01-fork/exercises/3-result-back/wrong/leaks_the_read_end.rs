// Wrong: the read end is never closed.
// Refused by: nothing_is_left_open
// Told: a descriptor stays open at each call
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, pipe, read};
use std::fs::File;
use std::io::Write;

pub fn compute_in_child(f: impl FnOnce() -> Vec<u8>) -> nix::Result<Option<Vec<u8>>> {
    let (rd, wr) = pipe()?;
    match unsafe { fork()? } {
        ForkResult::Child => {
            let ok = File::from(wr).write_all(&f()).is_ok();
            unsafe { libc::_exit(if ok { 0 } else { 1 }) }
        }
        ForkResult::Parent { child } => {
            drop(wr);
            let (mut out, mut buf) = (Vec::new(), [0; 4096]);
            while let Ok(count @ 1..) = read(&rd, &mut buf) {
                out.extend(&buf[..count]);
            }
            std::mem::forget(rd);
            let ok = waitpid(child, None)? == WaitStatus::Exited(child, 0);
            Ok(ok.then_some(out))
        }
    }
}
