// Right: a thread receives while the parent waits.
use ipc_channel::ipc;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

pub fn collect_from_child(n: u64, f: fn(u64) -> u64) -> Result<Vec<u64>, String> {
    let (tx, rx) = ipc::channel::<u64>().map_err(|e| e.to_string())?;
    let child = match unsafe { fork() }.map_err(|e| e.to_string())? {
        ForkResult::Child => {
            for i in 0..n {
                if tx.send(f(i)).is_err() {
                    unsafe { libc::_exit(1) }
                }
            }
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => child,
    };
    drop(tx);
    let collector = std::thread::spawn(move || {
        let mut values = Vec::new();
        while let Ok(value) = rx.recv() {
            values.push(value);
        }
        values
    });
    let end = waitpid(child, None).map_err(|e| e.to_string())?;
    let values = collector.join().map_err(|_| "the collector panicked".to_owned())?;
    if end == WaitStatus::Exited(child, 0) && values.len() as u64 == n {
        Ok(values)
    } else {
        Err(format!("{end:?}"))
    }
}
