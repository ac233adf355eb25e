use std::thread;

use crossbeam_channel::{Sender, bounded, never};
use threads::Thread;

use super::Outcome;

pub(crate) fn run() -> Outcome {
    let (begin, began) = bounded(0);
    let sender = begin.clone();
    thread::spawn(move || endless("A thread of std", &sender));
    began.recv()?;
    let sender = begin.clone();
    let mut daemon = Thread::new(move || endless("A daemon", &sender)).daemon(true);
    daemon.start()?;
    began.recv()?;

    // Declared before what it waits for, and so dropped after that.
    let mut thread;
    let (end, ended) = bounded::<()>(0);
    thread = Thread::new(move || {
        let _ = say!("A Thread begins.");
        let _ = begin.send(());
        let _ = ended.recv();
        let _ = say!("A Thread ends: its owner, who dropped it, waits for it.");
    });
    thread.start()?;
    began.recv()?;

    say!("main returns. It drops all three, and joins none.")?;
    drop(end);
    Ok(())
}

/// A thread that is there until its process ends, and then is cut off.
fn endless(name: &'static str, begun: &Sender<()>) {
    let _end = AtItsEnd(name);
    let _ = say!("{name} begins.");
    let _ = begun.send(());
    let _ = never::<()>().recv();
}

/// A temporary file to be removed, a buffer to be written, a message to be sent.
struct AtItsEnd(&'static str);

impl Drop for AtItsEnd {
    fn drop(&mut self) {
        let _ = say!("{} cleans up.", self.0);
    }
}
