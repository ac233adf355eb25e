use std::process::id;

use fork::Signal::SIGTERM;
use ipc::{Event, Queue, Wait};

use super::{Outcome, code};

pub(crate) fn run() -> Outcome {
    // All three processes have the whole queue, as in Python.
    let (queue, begun) = (Queue::new(16)?, Event::new()?);
    let writer = fork::fork(|| code(write(&queue, &begun)))?;
    begun.wait_within(Wait::forever().while_alive(writer.sentinel()?))?;
    let reader = fork::fork(|| code(read(&queue)))?;
    writer.wait()?;
    // It waits for a fourth letter, and as it could put one itself, nobody tells it that none comes.
    reader.signal(SIGTERM)?;
    reader.wait()?;
    Ok(())
}

fn write(queue: &Queue<char>, begun: &Event) -> Outcome {
    println!("Process to write: {}", id());
    for letter in ['A', 'B', 'C'] {
        println!("Put {letter} to queue...");
        queue.put(&letter)?;
        begun.set();
        // Until the reader is done with it: the tutorial sleeps here, and hopes.
        queue.join()?;
    }
    Ok(())
}

fn read(queue: &Queue<char>) -> Outcome {
    println!("Process to read: {}", id());
    loop {
        println!("Get {} from queue.", queue.get()?);
        queue.task_done()?;
    }
}
