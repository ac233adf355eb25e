// Right: the signal is read from a descriptor.
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::collections::BTreeMap;

pub fn run_all(n: usize, f: fn(usize) -> i32) -> nix::Result<Vec<i32>> {
    let chld = SigSet::from(Signal::SIGCHLD);
    let old = chld.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let signals = SignalFd::with_flags(&chld, SfdFlags::SFD_CLOEXEC)?;
    let mut running = BTreeMap::new();
    for i in 0..n {
        match unsafe { fork()? } {
            ForkResult::Child => {
                let _ = old.thread_set_mask();
                unsafe { libc::_exit(f(i)) }
            }
            ForkResult::Parent { child } => running.insert(child, i),
        };
    }
    let mut codes = vec![0; n];
    loop {
        let pids: Vec<Pid> = running.keys().copied().collect();
        for pid in pids {
            let code = match waitpid(pid, Some(WaitPidFlag::WNOHANG))? {
                WaitStatus::Exited(_, code) => code,
                WaitStatus::Signaled(..) => -1,
                _ => continue,
            };
            codes[running.remove(&pid).unwrap()] = code;
        }
        if running.is_empty() {
            break;
        }
        signals.read_signal()?;
    }
    old.thread_set_mask()?;
    Ok(codes)
}
