use super::procfs::Process;
use super::{Outcome, until_ended};

pub(crate) fn run() -> Outcome {
    let child = fork::fork(|| 7)?;
    until_ended(&child)?;
    println!(
        "My child ({}) has ended, and I have not asked how. The kernel lists it:",
        child.pid()
    );
    show(child.pid());
    println!(
        "Its memory and files are gone. Its number stays taken, and its exit code is kept for me."
    );

    let status = child.wait()?;
    println!("Now I wait for it: {status}. The kernel lists it:");
    show(child.pid());
    Ok(())
}

fn show(pid: i32) {
    match Process::read(pid) {
        Some(process) => println!(
            "    {pid} ({}), state {} ({}), parent {}",
            process.name,
            process.state,
            process.state(),
            process.parent
        ),
        None => println!("    no process {pid}"),
    }
}
