// Right: a thread reads each pipe, and the workers are waited for in the end.
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, pipe};
use std::fs::File;
use std::io::{Read, Write};

pub fn parallel_map(inputs: &[u64], f: fn(u64) -> Vec<u8>) -> nix::Result<Vec<Vec<u8>>> {
    let (mut pids, mut ends) = (Vec::new(), Vec::new());
    for &x in inputs {
        let (rd, wr) = pipe()?;
        match unsafe { fork()? } {
            ForkResult::Child => {
                drop(rd);
                let sent = File::from(wr).write_all(&f(x));
                unsafe { libc::_exit(sent.is_err().into()) }
            }
            ForkResult::Parent { child } => {
                pids.push(child);
                ends.push(File::from(rd));
            }
        }
    }
    // Not before all are forked: a fork beside other threads is another lesson.
    let readers: Vec<_> = ends
        .into_iter()
        .map(|mut rd| {
            std::thread::spawn(move || {
                let mut out = Vec::new();
                rd.read_to_end(&mut out).map(|_| out)
            })
        })
        .collect();
    let results = readers.into_iter().map(|reader| reader.join().unwrap());
    let results: Result<_, _> = results.collect();
    for pid in pids {
        waitpid(pid, None)?;
    }
    results.map_err(|_| nix::errno::Errno::EIO)
}
