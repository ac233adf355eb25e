use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ::ipc::SharedMemory;
use fork::Signal::SIGKILL;
use ipc_channel::TryRecvError;
use ipc_channel::ipc::{self, IpcReceiver, IpcSender, IpcSharedMemory};

use super::{Outcome, code};

pub(crate) fn run() -> Outcome {
    println!(
        "What it does well: a sender is a value, and can be sent. A question brings along the"
    );
    println!("way back for its answer:");
    let (ask, questions) = ipc::channel::<(u64, IpcSender<u64>)>()?;
    let child = fork::fork(|| code(answer(&questions)))?;
    let (back, answer) = ipc::channel()?;
    ask.send((12, back))?;
    println!("    12 * 12 = {}", answer.recv()?);
    child.wait()?;

    println!("Large bytes are shared memory, handed on and not copied, if you say so:");
    let (sender, receiver) = ipc::channel()?;
    let bytes = || sender.send(IpcSharedMemory::from_byte(7, 1 << 20));
    let child = fork::fork(|| code(bytes().map_err(Into::into)))?;
    println!("    {} bytes of 7", receiver.recv()?.iter().filter(|&&byte| byte == 7).count());
    child.wait()?;

    println!("Trap 1: a forked process has all ends, so nobody is told of a death:");
    let (sender, receiver) = ipc::channel::<u64>()?;
    let child = fork::fork(|| {
        nix::unistd::pause();
        code(sender.send(1).map_err(Into::into))
    })?;
    child.signal(SIGKILL)?;
    child.wait()?;
    let told =
        |receiver: &IpcReceiver<u64>| match receiver.try_recv_timeout(Duration::from_millis(50)) {
            Err(TryRecvError::Empty) => "nothing yet".to_owned(),
            Err(TryRecvError::IpcError(error)) => error.to_string(),
            Ok(number) => number.to_string(),
        };
    println!("    its sender was killed, and I have a copy of it: {}", told(&receiver));
    drop(sender);
    println!("    without my copy: {}", told(&receiver));

    println!(
        "Trap 2: `send` waits while the socket is full, and takes no time limit. Nobody reads:"
    );
    let (sender, receiver) = ipc::channel::<u64>()?;
    let sent = SharedMemory::new(8)?;
    let child = fork::fork(|| {
        while sender.send(7).is_ok() {
            sent[0].fetch_add(1, Relaxed);
        }
        0
    })?;
    let stuck = child.wait_timeout(Duration::from_millis(100))?.is_none();
    let then = if stuck { "and then it waits for ever" } else { "and then it ended" };
    println!("    {} messages fit, {then}", sent[0].load(Relaxed));
    child.signal(SIGKILL)?;
    child.wait()?;
    drop(receiver);
    Ok(())
}

fn answer(questions: &IpcReceiver<(u64, IpcSender<u64>)>) -> Outcome {
    let (number, back) = questions.recv()?;
    Ok(back.send(number * number)?)
}
