// Wrong: it blocks SIGCHLD after the fork.
// Refused by: a_quick_child_is_noticed
// Told: block it before the fork
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
pub fn run_all(n: usize, f: fn(usize) -> i32) -> nix::Result<Vec<i32>> {
    let chld = SigSet::from(Signal::SIGCHLD);
    let old = SigSet::thread_get_mask()?;
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
    chld.thread_block()?;
    while children.iter().any(|c| c.1.is_none()) {
        chld.wait()?;
        for (pid, code) in children.iter_mut().filter(|c| c.1.is_none()) {
            match waitpid(*pid, Some(WaitPidFlag::WNOHANG))? {
                WaitStatus::Exited(_, c) => *code = Some(c),
                WaitStatus::Signaled(..) => *code = Some(-1),
                _ => {}
            }
        }
    }
    old.thread_set_mask()?;
    Ok(children.into_iter().map(|c| c.1.unwrap()).collect())
}
