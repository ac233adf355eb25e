use std::os::fd::OwnedFd;
use std::os::unix::process::parent_id;
use std::process::id;
use std::{error, io};

use fork::PrivateFd;

use super::procfs::Process;
use super::{Outcome, read_to_end};

pub(crate) fn run() -> Outcome {
    // The grandchild learns from the first that its parent has ended, and tells with the second that
    // it is done. Each is told by the end of the file.
    let [orphaned, say_orphaned] = PrivateFd::pipe()?;
    let [done, say_done] = PrivateFd::pipe()?;

    let child = fork::fork_handing(vec![orphaned, say_done], |fds| match be_a_bad_parent(fds) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("fork: in the child: {error}");
            1
        }
    })?;

    let status = child.wait()?;
    println!("I ({}) waited for my child: {status}. Its own child is an orphan.", id());
    drop(say_orphaned);
    read_to_end(done.into_inherited()?)?;
    Ok(())
}

fn be_a_bad_parent(fds: Vec<OwnedFd>) -> Result<(), Box<dyn error::Error>> {
    let fds = <[_; 2]>::try_from(fds).map_err(|_| io::Error::other("two are handed over"))?;
    let [orphaned, say_done] = PrivateFd::open(|| Ok(fds))?;
    let [spoken, say_spoken] = PrivateFd::pipe()?;

    let grandchild = fork::fork_handing(vec![orphaned, say_spoken, say_done], |mut fds| {
        println!("I am the grandchild ({}), and my parent is {}.", id(), parent_id());
        drop(fds.swap_remove(1));
        let _ = read_to_end(fds.swap_remove(0));
        println!("I am still {}, and my parent is now {}.", id(), adopter());
        0
    })?;
    read_to_end(spoken.into_inherited()?)?;
    println!("I am the child ({}), and I end without waiting for {}.", id(), grandchild.pid());
    Ok(())
}

/// The adopter: the nearest living ancestor that asked for orphans (prctl(2),
/// `PR_SET_CHILD_SUBREAPER`), or else process 1.
fn adopter() -> String {
    let pid = parent_id().cast_signed();
    let name = Process::read(pid).map_or("?".to_owned(), |process| process.name);
    if pid == 1 {
        format!("1 ({name}): init, which adopts all whom nobody else wants")
    } else {
        format!("{pid} ({name}): a subreaper, which asked for the orphans below it")
    }
}
