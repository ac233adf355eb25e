// Wrong: the parent keeps its write end open.
// Refused by: a_small_result_comes_back
// Told: the parent still holds the write end of the pipe
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, pipe};
use std::fs::File;
use std::io::{Read, Write};

/// Run `f` in a forked child and return the bytes that it computed (any length, also 0 and > 64 KiB).
/// `None` when the child did not deliver (it was killed, or exited with a code other than 0).
/// Leaves no zombie and no open file descriptor behind.
pub fn compute_in_child(f: impl FnOnce() -> Vec<u8>) -> nix::Result<Option<Vec<u8>>> {
    let (rd, wr) = pipe()?;
    match unsafe { fork()? } {
        ForkResult::Child => {
            drop(rd);
            let ok = File::from(wr).write_all(&f()).is_ok();
            unsafe { libc::_exit(if ok { 0 } else { 1 }) }
        }
        ForkResult::Parent { child } => {
            let mut out = Vec::new();
            let read = File::from(rd).read_to_end(&mut out);
            let status = waitpid(child, None)?;
            let ok = read.is_ok() && status == nix::sys::wait::WaitStatus::Exited(child, 0);
            Ok(ok.then_some(out))
        }
    }
}
