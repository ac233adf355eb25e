// Wrong: one child is reaped for each signal.
// Refused by: children_that_end_at_once_are_all_noticed
// Told: signals do not queue
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
        for (pid, code) in children.iter_mut().filter(|c| c.1.is_none()) {
            match waitpid(*pid, Some(WaitPidFlag::WNOHANG))? {
                WaitStatus::Exited(_, c) => {
                    *code = Some(c);
                    break;
                }
                WaitStatus::Signaled(..) => *code = Some(-1),
                _ => {}
            }
        }
    }
    old.thread_set_mask()?;
    Ok(children.into_iter().map(|c| c.1.unwrap()).collect())
}
