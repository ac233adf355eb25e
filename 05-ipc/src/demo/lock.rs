use std::time::{Duration, Instant};

use fork::Signal::{SIGKILL, SIGSTOP};
use ipc::{Array, Event, Wait};

use super::{Outcome, code};

pub(crate) fn run() -> Outcome {
    let (accounts, half) = (Array::new(&[100, 100])?, Event::new()?);
    let child = fork::fork(|| {
        code(accounts.lock().map_err(Into::into).map(|mut accounts| {
            accounts[0] -= 30;
            half.set();
            nix::unistd::pause(); // it will never come to the other half
            accounts[1] += 30;
        }))
    })?;
    half.wait_within(Wait::forever().while_alive(child.sentinel()?))?;
    println!("A child moves 30 from one account to the other, under a lock, and is half done.");

    child.signal(SIGSTOP)?;
    if let Err(error) = accounts.lock_within(Duration::from_millis(20)) {
        println!("    stopped: {error}. It lives, and may go on");
    }
    child.signal(SIGKILL)?;
    let start = Instant::now();
    let mut guard = accounts.lock()?;
    let waited = start.elapsed();
    println!(
        "    killed:  I have the lock after {waited:.0?}. Did its former owner die? {}",
        if guard.former_owner_died() { "Yes" } else { "No" }
    );
    println!("The accounts are {:?}, as the dead one left them. I put that right.", &*guard);
    guard.copy_from_slice(&[70, 130]);
    drop(guard);
    println!("The next owner is told nothing any more: {:?}", &*accounts.lock()?);
    child.wait()?;
    Ok(())
}
