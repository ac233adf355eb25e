// Wrong: the parent keeps its own sender.
// Refused by: a_few_values_arrive_in_order
// Told: the parent still owns a sender
use ipc_channel::ipc;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
pub fn collect_from_child(n: u64, f: fn(u64) -> u64) -> Result<Vec<u64>, String> {
    let (tx, rx) = ipc::channel::<u64>().map_err(|e| e.to_string())?;
    match unsafe { fork() }.map_err(|e| e.to_string())? {
        ForkResult::Child => {
            drop(rx);
            let ok = (0..n).all(|i| tx.send(f(i)).is_ok());
            unsafe { libc::_exit(if ok { 0 } else { 1 }) }
        }
        ForkResult::Parent { child } => {
            let values: Vec<u64> = std::iter::from_fn(|| rx.recv().ok()).collect();
            match waitpid(child, None) {
                Ok(WaitStatus::Exited(_, 0)) => Ok(values),
                end => Err(format!("{} of {n} values, child: {end:?}", values.len())),
            }
        }
    }
}
