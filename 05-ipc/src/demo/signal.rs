use std::os::fd::AsFd;
use std::time::Duration;

use fork::Signal::{SIGTERM, SIGUSR1};
use ipc::{Event, Receiver, Wait};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::{Outcome, code};

pub(crate) fn run() -> Outcome {
    let wanted = [SIGUSR1, SIGTERM].into_iter().collect::<SigSet>();
    // Blocked before the fork: a signal that comes before the child looks is then kept for it, and
    // does not end it.
    wanted.thread_block()?;
    let (sender, receiver) = ipc::pipe::<String>()?;
    let look = Event::new()?;
    let child = ipc::fork_with((receiver, look.clone()), |(receiver, look)| {
        code(watch(&receiver, &wanted, &look))
    })?;
    println!("I send three messages and SIGUSR1 three times, then SIGTERM. Then the child looks:");
    for word in ["one", "two", "three"] {
        sender.send(&word.to_owned())?;
        child.signal(SIGUSR1)?;
    }
    child.signal(SIGTERM)?;
    look.set();
    child.wait()?;
    wanted.thread_unblock()?;
    println!(
        "A signal is one bit: it says that something is to be looked at, neither what nor how"
    );
    println!("often. And a message says that only where it is read.");
    Ok(())
}

fn watch(receiver: &Receiver<String>, wanted: &SigSet, look: &Event) -> Outcome {
    look.wait();
    // Signals as something to read: no handler, which could call next to nothing, and none missed.
    let signals = SignalFd::with_flags(wanted, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    let mut asked_to_end = false;
    while !asked_to_end || receiver.poll(Duration::ZERO)? {
        for ready in ipc::wait(&[receiver.fd()?, signals.as_fd()], Wait::forever())? {
            if ready == 0 {
                println!("    message {:?}", receiver.recv()?);
            } else if let Some(info) = signals.read_signal()? {
                let signal = Signal::try_from(info.ssi_signo.cast_signed())?;
                println!("    signal  {signal}, from process {}", info.ssi_pid);
                asked_to_end |= signal == SIGTERM;
            }
        }
    }
    Ok(())
}
