use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsFd;

use ipc::Connection;
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::{Outcome, code};

pub(crate) fn run() -> Outcome {
    let (asker, answerer) = ipc::duplex::<String, usize>()?;
    let child = ipc::fork_with(answerer, |answerer| code(answer(&answerer)))?;

    println!("A question there, an answer back, over one connection:");
    for word in ["zero", "one", "seventeen"] {
        asker.send(&word.to_owned())?;
        println!("    {word:?} has {} letters", asker.recv()?);
    }
    println!("Bytes, up to any size, and none at all, which is a message, too:");
    let mut echo = Vec::new();
    for size in [0, 1, 16 << 20] {
        asker.send_bytes(&vec![7; size])?;
        asker.recv_bytes(&mut echo)?;
        println!("    {size:8} bytes there, {:8} back", echo.len());
    }
    println!("An open file, in which the other process goes on to write:");
    let mut file = File::from(memfd_create(c"a file", MFdFlags::MFD_CLOEXEC)?);
    asker.send_with_fds(&"write".to_owned(), &[file.as_fd()])?;
    asker.recv()?;
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    println!("    {text}");
    println!("Now I close my end. In the other process `recv` says:");
    drop(asker);
    child.wait()?;
    Ok(())
}

fn answer(asker: &Connection<usize, String>) -> Outcome {
    for _ in 0..3 {
        asker.send(&asker.recv()?.len())?;
    }
    let mut bytes = Vec::new();
    for _ in 0..3 {
        asker.recv_bytes(&mut bytes)?;
        asker.send_bytes(&bytes)?;
    }
    let (_, files) = asker.recv_with_fds()?;
    for file in files {
        std::io::Write::write_all(
            &mut File::from(file),
            format!("written by {}", std::process::id()).as_bytes(),
        )?;
    }
    asker.send(&0)?;
    if let Err(error) = asker.recv() {
        println!("    {error}");
    }
    Ok(())
}
