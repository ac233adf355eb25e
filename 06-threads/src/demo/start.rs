use std::io;

use threads::{Thread, current_thread};

use super::Outcome;

pub(crate) fn run() -> Outcome {
    say!("thread {} is running...", current_thread().name())?;
    let mut thread = Thread::new(count).name("LoopThread");
    thread.start()?;
    thread.join()??;
    say!("thread {} ended.", current_thread().name())?;
    Ok(())
}

fn count() -> io::Result<()> {
    let thread = current_thread();
    say!("thread {} is running...", thread.name())?;
    for number in 1..=5 {
        say!("thread {} >>> {number}", thread.name())?;
    }
    say!("thread {} ended.", thread.name())
}
