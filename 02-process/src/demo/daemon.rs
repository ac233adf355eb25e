use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::id;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use process::{PrivateFd, Process, handed_over, parent_process};

use super::{Outcome, read_to_end, say};

pub(crate) fn run() -> Outcome {
    // Each of anna's children says that it lives, and then holds its pipe to its end.
    let ([bert, of_bert], [carl, of_carl]) = (PrivateFd::pipe()?, PrivateFd::pipe()?);
    let mut anna = Process::new(have_children, ()).name("anna").hand_over(vec![of_bert, of_carl]);
    anna.start()?;
    let (bert, carl) = (bert.into_inherited()?, carl.into_inherited()?);
    let (mut bert, mut carl) = (File::from(bert), File::from(carl));
    for pipe in [&mut bert, &mut carl] {
        pipe.read_exact(&mut [0])?;
    }
    anna.kill()?;
    let end = anna.join().err().map(|error| error.to_string());
    say!("I ({}) killed my child: {}", id(), end.unwrap_or_default());

    read_to_end(bert.into())?;
    say!("bert, her daemon, ended with her. No code of hers could run: the kernel told him.");
    say!("carl, who is none, says: {}", read_to_end(carl.into())?);
    Ok(())
}

fn have_children() {
    let Ok(fds) = <[OwnedFd; 2]>::try_from(handed_over()) else { return };
    let Ok([bert, carl]) = PrivateFd::open(|| Ok(fds)) else { return };
    let mut bert = Process::new(live, ()).name("bert").daemon(true).hand_over(vec![bert]);
    let mut carl = Process::new(outlive, ()).name("carl").hand_over(vec![carl]);
    if bert.start().is_ok() && carl.start().is_ok() {
        live();
    }
}

/// Until somebody ends it.
#[expect(clippy::infinite_loop, reason = "it does not end by itself")]
fn live() {
    let mut pipes = handed_over();
    if let Some(pipe) = pipes.pop() {
        let mut pipe = File::from(pipe);
        let _ = pipe.write_all(b"!");
        pipes.push(pipe.into());
    }
    loop {
        nix::unistd::pause();
    }
}

/// Until its parent has ended; then it says so.
fn outlive() {
    let (Some(parent), Some(pipe)) = (parent_process(), handed_over().pop()) else { return };
    let mut pipe = File::from(pipe);
    let _ = pipe.write_all(b"!");
    if let Ok(sentinel) = parent.sentinel() {
        let mut end = [PollFd::new(sentinel, PollFlags::POLLIN)];
        while poll(&mut end, PollTimeout::NONE) == Err(nix::Error::EINTR) {}
    }
    let (name, pid) = (parent.name(), parent.pid());
    let _ = write!(pipe, "I am {}. {name} ({pid}) lives: {}.", id(), parent.is_alive());
}
