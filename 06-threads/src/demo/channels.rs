use std::thread;
use std::time::Duration;

use crossbeam_channel::{TryRecvError, TrySendError, after, bounded, select, unbounded};

use super::Outcome;

pub(crate) fn run() -> Outcome {
    a_bounded_one()?;
    a_rendezvous()?;
    a_selection()?;
    a_disconnected_one()
}

/// Memory has an end: a sender that is faster than its receiver must wait.
fn a_bounded_one() -> Outcome {
    let (sender, receiver) = bounded(2);
    sender.send('A')?;
    sender.send('B')?;
    let full = sender.try_send('C');
    say!("bounded(2) holds A and B. C is refused: {}.", full == Err(TrySendError::Full('C')))?;
    thread::scope(|scope| -> Outcome {
        // Blocks until there is room.
        scope.spawn(move || sender.send('C'));
        let received: String = receiver.iter().collect();
        say!("    A send that waits gets through when there is room: {received}.")?;
        Ok(())
    })
}

/// Room for nothing: a send waits for a receive, and both know that the other was there.
fn a_rendezvous() -> Outcome {
    let (sender, receiver) = bounded(0);
    let alone = sender.try_send('A');
    say!("bounded(0) holds nothing. Without a receiver A is refused: {}.", alone.is_err())?;
    thread::scope(|scope| -> Outcome {
        let taken = scope.spawn(move || receiver.recv());
        sender.send('A')?;
        match taken.join() {
            Ok(message) => say!("    Handed over, as send and receive met: {}.", message?)?,
            Err(_) => return Err("the receiver panicked".into()),
        }
        Ok(())
    })
}

/// Several channels at once, and a deadline, which is a channel too.
fn a_selection() -> Outcome {
    let (letters, letter) = unbounded();
    let (numbers, number) = unbounded();
    letters.send('A')?;
    numbers.send(1)?;
    let deadline = after(Duration::from_millis(20));
    let (mut got, mut late) = (Vec::new(), false);
    while !late {
        select! {
            recv(letter) -> it => got.push(it?.to_string()),
            recv(number) -> it => got.push(it?.to_string()),
            recv(deadline) -> _ => late = true,
        }
    }
    // Of several that are ready one is taken at random, so that none starves.
    got.sort_unstable();
    say!("select takes what is there, {}, and then the deadline.", got.join(" and "))?;
    Ok(())
}

/// An end of a conversation needs no message of its own.
fn a_disconnected_one() -> Outcome {
    let (sender, receiver) = unbounded();
    sender.send('A')?;
    drop(sender);
    let (first, then) = (receiver.try_recv(), receiver.try_recv());
    say!(
        "Without a sender, what was sent arrives: {}. Then it is disconnected: {}.",
        first == Ok('A'),
        then == Err(TryRecvError::Disconnected)
    )?;
    let (sender, receiver) = unbounded();
    drop(receiver);
    let refused = sender.send('B').map_err(|error| error.into_inner());
    say!("    Without a receiver, a message comes back to who sent it: {}.", refused == Err('B'))?;
    Ok(())
}
