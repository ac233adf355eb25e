// Right: the length goes first, and a child that sends less has not delivered.
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, pipe};
use std::fs::File;
use std::io::{Read, Write};

pub fn compute_in_child(f: impl FnOnce() -> Vec<u8>) -> nix::Result<Option<Vec<u8>>> {
    let (rd, wr) = pipe()?;
    let child = match unsafe { fork()? } {
        ForkResult::Child => {
            let bytes = f();
            let mut wr = File::from(wr);
            let sent = wr.write_all(&bytes.len().to_ne_bytes()).and_then(|()| wr.write_all(&bytes));
            unsafe { libc::_exit(i32::from(sent.is_err())) }
        }
        ForkResult::Parent { child } => child,
    };
    drop(wr);
    let mut rd = File::from(rd);
    let mut len = [0; size_of::<usize>()];
    let mut out = Vec::new();
    let whole = rd.read_exact(&mut len).is_ok()
        && rd.take(usize::from_ne_bytes(len) as u64).read_to_end(&mut out).is_ok()
        && out.len() == usize::from_ne_bytes(len);
    let status = waitpid(child, None)?;
    Ok((whole && status == WaitStatus::Exited(child, 0)).then_some(out))
}
