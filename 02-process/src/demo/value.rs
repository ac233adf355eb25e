use std::collections::BTreeMap;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use process::Process;

use super::{Outcome, say};

/// How often each letter occurs.
fn count(text: String) -> BTreeMap<char, usize> {
    let mut counts = BTreeMap::new();
    for letter in text.chars().filter(|letter| letter.is_alphabetic()) {
        *counts.entry(letter).or_default() += 1;
    }
    counts
}

fn squares(up_to: u64) -> Vec<u64> {
    (0..up_to).map(|number| number * number).collect()
}

pub(crate) fn run() -> Outcome {
    let mut counting = Process::new(count, ("a child, a parent".to_owned(),));
    counting.start()?;
    let counts = counting.join()?;
    say!("A child counted the letters of a text: {counts:?}");

    // Several run at once; each join waits for its own.
    let mut all = [10, 100, 100_000].map(|up_to| (up_to, Process::new(squares, (up_to,))));
    for (_, process) in &mut all {
        process.start()?;
    }
    for (up_to, mut process) in all {
        until_ended(&process)?;
        say!(
            "One has ended with {up_to} squares, and I have read none of them yet: {:?}",
            process.status()?
        );
        say!("    the last one is {:?}", process.join()?.last());
    }
    say!("With a queue of Python's, the third would still be there, waiting for me to read.");
    Ok(())
}

fn until_ended(process: &Process<Vec<u64>>) -> Outcome {
    let mut end = [PollFd::new(process.sentinel()?, PollFlags::POLLIN)];
    while poll(&mut end, PollTimeout::NONE) == Err(nix::Error::EINTR) {}
    Ok(())
}
