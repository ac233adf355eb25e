// Wrong: it waits before it reads.
// Refused by: a_result_larger_than_a_pipe_comes_back
// Told: the child is blocked writing into a full pipe
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
            drop(wr);
            let status = waitpid(child, None)?;
            let mut out = Vec::new();
            let read = File::from(rd).read_to_end(&mut out);
            let ok = read.is_ok() && status == nix::sys::wait::WaitStatus::Exited(child, 0);
            Ok(ok.then_some(out))
        }
    }
}
