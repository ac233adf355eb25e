// Wrong: it takes what came for all there is.
// Refused by: a_child_that_died_gives_an_error
// Told: and you returned what came
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
            match waitpid(child, None) {
                Ok(_) => Ok(values),
                end => Err(format!("{} of {n} values, child: {end:?}", values.len())),
            }
        }
    }
}
