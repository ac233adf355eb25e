// Wrong: it counts the values, and leaves the child a zombie.
// Refused by: nothing_is_left
// Told: a zombie is left
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
            drop(tx);
            let values: Vec<u64> = std::iter::from_fn(|| rx.recv().ok()).collect();
            if values.len() as u64 == n {
                Ok(values)
            } else {
                Err(format!("{} of {n} values", values.len()))
            }
        }
    }
}
