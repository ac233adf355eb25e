// Wrong: it does not look at how the child ended.
// Refused by: a_child_that_did_not_deliver_gives_none
// Told: look at the wait status
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, pipe};
use std::fs::File;
use std::io::{Read, Write};

pub fn compute_in_child(f: impl FnOnce() -> Vec<u8>) -> nix::Result<Option<Vec<u8>>> {
    let (rd, wr) = pipe()?;
    match unsafe { fork()? } {
        ForkResult::Child => {
            let _ = File::from(wr).write_all(&f());
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => {
            drop(wr);
            let mut out = Vec::new();
            let read = File::from(rd).read_to_end(&mut out);
            waitpid(child, None)?;
            Ok(read.is_ok().then_some(out))
        }
    }
}
