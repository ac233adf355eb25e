use std::fs::File;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use fork::{Memory, PrivateFd};

use super::Outcome;

const MIB: usize = 1 << 20;
const PAGE: usize = 4096;

type Step = (&'static str, fn(&mut [u8]));

/// What the child does to its copy of the memory, one after the other.
const STEPS: [Step; 4] = [
    ("just forked", |_| {}),
    ("read a byte of every page", |memory| {
        black_box(memory.iter().step_by(PAGE).fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
    }),
    ("wrote one byte to each of 1024 pages", |memory| {
        memory.iter_mut().step_by(PAGE).take(1024).for_each(|byte| *byte = 2);
    }),
    ("wrote every byte", |memory| memory.fill(3)),
];

pub(crate) fn run() -> Outcome {
    // Written to, so that it is memory and not a promise of memory.
    let mut memory = vec![1; 64 * MIB];
    let [mine, its] = PrivateFd::open(|| {
        let (mine, its) = UnixStream::pair()?;
        Ok([mine.into(), its.into()])
    })?;

    let start = Instant::now();
    let child = fork::fork_handing(vec![its], |fds| {
        let steps = fds.into_iter().try_for_each(|fd| take_steps(File::from(fd), &mut memory));
        i32::from(steps.is_err())
    })?;
    println!(
        "I wrote 64 MiB, then forked, in {:.1?}. The child's memory in MiB, from smaps:",
        start.elapsed()
    );
    println!("    {:38} its own   shared", "");

    let mut talk = File::from(mine.into_inherited()?);
    for (name, _) in STEPS {
        talk.write_all(b".")?;
        talk.read_exact(&mut [0])?;
        let Memory { private_dirty, shared, .. } = Memory::of(child.pid())?;
        println!("    {name:38}{:8.2} {:8.2}", mib(private_dirty), mib(shared));
    }
    drop(talk);
    child.wait()?;
    println!(
        "All were the same pages until somebody wrote: then that page, and no other, was copied."
    );
    Ok(())
}

/// In the child: a step for each byte that comes, and a byte for each step that is done.
fn take_steps(mut talk: File, memory: &mut [u8]) -> io::Result<()> {
    for (_, step) in STEPS {
        talk.read_exact(&mut [0])?;
        step(memory);
        talk.write_all(b".")?;
    }
    // Stays until it was measured for the last time.
    talk.read_to_end(&mut Vec::new()).map(drop)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}
