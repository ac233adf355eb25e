use nix::sys::signal::Signal::{self, SIGKILL, SIGTERM};

use super::Outcome;

pub(crate) fn run() -> Outcome {
    println!("A child's code goes through one byte. What arrives:");
    for code in [0, 7, 255, 256, 257, -1] {
        let status = fork::fork(|| code)?.wait()?;
        println!("    exit({code:3})      {status}");
    }
    println!(
        "A signal is no code, though a shell shows 128 + its number, and Python its negative:"
    );
    for signal in [SIGTERM, SIGKILL] {
        let status = end_by(signal)?;
        println!(
            "    {signal}        {status}; exitcode in Python's notation: {}",
            status.exitcode()
        );
    }
    println!("A panic ends the child alone:");
    let status = fork::fork(|| panic!("the child's panic, on stderr"))?.wait()?;
    println!("    panic!()       {status}");
    Ok(())
}

fn end_by(signal: Signal) -> Result<fork::ExitStatus, Box<dyn std::error::Error>> {
    let child = fork::fork(|| {
        nix::unistd::pause();
        0
    })?;
    child.signal(signal)?;
    Ok(child.wait()?)
}
