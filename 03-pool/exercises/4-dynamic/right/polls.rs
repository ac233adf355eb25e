// Right: one thread, which polls both pipes; a task is an index, as the worker has the inputs.
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, pipe, read, write};
use std::os::fd::AsFd;

/// Writes a record when the pipe has room, and reads one when there is one; both fit, or nothing is ready.
pub fn map_dynamic(n: usize, inputs: &[u64], f: fn(u64) -> u64) -> nix::Result<Vec<u64>> {
    let ((task_rd, task_wr), (res_rd, res_wr)) = (pipe()?, pipe()?);
    let mut pids = Vec::new();
    for _ in 0..n {
        match unsafe { fork()? } {
            ForkResult::Child => {
                drop((task_wr, res_rd));
                let mut task = [0; 8];
                while read(&task_rd, &mut task) == Ok(8) {
                    let at = u64::from_ne_bytes(task);
                    let result = [at, f(inputs[at as usize])].map(u64::to_ne_bytes).concat();
                    let _ = write(&res_wr, &result);
                }
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => pids.push(child),
        }
    }
    drop((task_rd, res_wr));
    let mut out = vec![0; inputs.len()];
    let (mut next, mut tasks) = (0..inputs.len() as u64, Some(task_wr));
    loop {
        let mut ends = vec![PollFd::new(res_rd.as_fd(), PollFlags::POLLIN)];
        ends.extend(tasks.as_ref().map(|end| PollFd::new(end.as_fd(), PollFlags::POLLOUT)));
        poll(&mut ends, PollTimeout::NONE)?;
        let ready = |at: usize| ends.get(at).and_then(PollFd::any).unwrap_or(false);
        let (readable, writable) = (ready(0), ready(1));
        if writable {
            match next.next() {
                Some(at) => drop(write(tasks.as_ref().unwrap(), &at.to_ne_bytes())?),
                None => tasks = None,
            }
        }
        let mut record = [0; 16];
        if readable {
            if read(&res_rd, &mut record)? == 0 {
                break;
            }
            let [at, result] = [0, 8].map(|i| record[i..i + 8].try_into().unwrap());
            out[u64::from_ne_bytes(at) as usize] = u64::from_ne_bytes(result);
        }
    }
    for pid in pids {
        waitpid(pid, None)?;
    }
    Ok(out)
}
