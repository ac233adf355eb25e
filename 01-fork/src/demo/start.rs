use std::os::unix::process::parent_id;
use std::process::id;

use fork::PrivateFd;

use super::{Outcome, read_to_end};

pub(crate) fn run() -> Outcome {
    println!("Process ({}) start...", id());

    // From the fork on both run at once. The pipe makes the child speak second: it reads until its
    // parent, which holds the other end, has spoken and closed that.
    let [turn, mine] = PrivateFd::pipe()?;
    let child = fork::fork_handing(vec![turn], |fds| {
        for turn in fds {
            let _ = read_to_end(turn);
        }
        println!("I am child process ({}) and my parent is {}.", id(), parent_id());
        0
    })?;

    println!("I ({}) just created a child process ({}).", id(), child.pid());
    drop(mine);
    child.wait()?;
    Ok(())
}
