use std::io::{self, Write};

use super::Outcome;

pub(crate) fn run() -> Outcome {
    // No line break, so std keeps it in memory: a write of its own for each word would be slow.
    print!("[buffered before the fork] ");
    fork::fork(|| {
        print!("[child] ");
        0
    })?
    .wait()?;
    println!("[parent]");
    println!("    once: `fork::fork` writes what is buffered before it forks");

    print!("[buffered before the fork] ");
    bare_fork(|| print!("[child] "))?;
    println!("[parent]");
    println!(
        "    twice: the bare system call copied the buffer with all other memory, and both wrote it"
    );
    Ok(())
}

/// Forks without `fork::fork`, to show what that is for.
fn bare_fork(child: impl FnOnce()) -> io::Result<()> {
    // SAFETY: this process has a single thread, so no lock is left shut in the child; and the child
    // ends below, so it never returns into the caller.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            child();
            let _ = io::stdout().flush();
            // SAFETY: it ends this process and runs nothing of the parent's.
            unsafe { libc::_exit(0) }
        }
        pid => {
            let mut status = 0;
            // SAFETY: `status` is valid for writing. A bare wait for a bare fork: nobody signals us.
            match unsafe { libc::waitpid(pid, &raw mut status, 0) } {
                -1 => Err(io::Error::last_os_error()),
                _ => Ok(()),
            }
        }
    }
}
