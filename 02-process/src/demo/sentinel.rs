use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use process::{PrivateFd, Process};

use super::{Outcome, say, wait};

pub(crate) fn run() -> Outcome {
    let mut children = Vec::new();
    for name in ["anna", "bert", "carl"] {
        let [pipe, end] = PrivateFd::pipe()?;
        let mut child = Process::new(wait, ()).name(name).hand_over(vec![pipe]);
        child.start()?;
        children.push((child, Some(end)));
    }
    // Whom I tell to end, and when; then I wait for whoever it may be.
    for told in ["bert", "carl", "anna"] {
        for (child, end) in &mut children {
            if child.get_name() == told {
                *end = None;
            }
        }
        let ended = first_ended(&children)?;
        let (mut child, _) = children.remove(ended);
        child.join()?;
        say!("The first of {} to end was {}.", children.len() + 1, child.get_name());
    }
    Ok(())
}

/// Blocks until one of them has ended: all sentinels in one poll(2), as with
/// `multiprocessing.connection.wait`.
fn first_ended(
    children: &[(Process<()>, Option<PrivateFd>)],
) -> Result<usize, Box<dyn std::error::Error>> {
    let mut sentinels = Vec::new();
    for (child, _) in children {
        sentinels.push(PollFd::new(child.sentinel()?, PollFlags::POLLIN));
    }
    while poll(&mut sentinels, PollTimeout::NONE) == Err(nix::Error::EINTR) {}
    let ended = sentinels.iter().position(|sentinel| sentinel.any() == Some(true));
    ended.ok_or_else(|| "poll came back, and nobody has ended".into())
}
