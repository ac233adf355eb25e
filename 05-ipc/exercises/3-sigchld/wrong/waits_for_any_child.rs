// Wrong: it reaps any child.
// Refused by: no_other_child_is_reaped
// Told: you reaped a child that is not yours
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
pub fn run_all(n: usize, f: fn(usize) -> i32) -> nix::Result<Vec<i32>> {
    let chld = SigSet::from(Signal::SIGCHLD);
    let old = chld.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let mut children = Vec::new();
    for i in 0..n {
        match unsafe { fork()? } {
            ForkResult::Child => {
                old.thread_set_mask().unwrap();
                unsafe { libc::_exit(f(i)) }
            }
            ForkResult::Parent { child } => children.push((child, None)),
        }
    }
    while children.iter().any(|c| c.1.is_none()) {
        chld.wait()?;
        loop {
            let (pid, code) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, code),
                Ok(WaitStatus::Signaled(pid, ..)) => (pid, -1),
                _ => break,
            };
            for child in children.iter_mut().filter(|child| child.0 == pid) {
                child.1 = Some(code);
            }
        }
    }
    old.thread_set_mask()?;
    Ok(children.into_iter().map(|c| c.1.unwrap()).collect())
}
