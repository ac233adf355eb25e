use std::cell::Cell;
use std::sync::Barrier;
use std::{io, thread};

use threadlocal::Local;

use super::{Outcome, Told};

static NUMBER: Local<Cell<u32>> = Local::new(|| Cell::new(0));
static TOLD: Local<Told> = Local::new(|| Told("a value"));

pub(crate) fn run() -> Outcome {
    let (begun, done) = (&Barrier::new(2), &Barrier::new(2));
    thread::scope(|scope| {
        let anna = thread::Builder::new().name("anna".to_owned()).spawn_scoped(scope, || {
            NUMBER.set(7);
            TOLD.with(|_| ());
            begun.wait();
            done.wait();
        })?;
        begun.wait();
        NUMBER.set(5);
        println!("The main thread's number is 5, anna's is 7. The main thread forks.");
        let child = fork(|| {
            println!("In the child the number is {}: the forking thread's, a copy.", NUMBER.get());
            NUMBER.set(6);
            println!("Anna is not in the child. Her value is, and nobody's end will ever drop it.");
        });
        println!("In the parent the number is still {}. Anna ends:", NUMBER.get());
        done.wait();
        // Destructors included, for which the scope's end does not wait.
        let _ = anna.join();
        child
    })?;
    Ok(())
}

/// What the lesson `fork` does with more care: the child prints, and ends without running any
/// destructor.
fn fork(child: impl FnOnce()) -> io::Result<()> {
    // What stdout holds back would be printed by both.
    io::Write::flush(&mut io::stdout())?;
    // SAFETY: the child prints and ends. The other thread waits at a barrier, and holds no lock of
    // stdout or of the allocator.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).is_err();
            let flushed = io::Write::flush(&mut io::stdout()).is_ok();
            // SAFETY: it ends the process, and runs nothing of the parent's.
            unsafe { libc::_exit(i32::from(code || !flushed)) }
        }
        pid => {
            // SAFETY: no place for a status is given.
            while unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) } < 0 {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
            Ok(())
        }
    }
}
