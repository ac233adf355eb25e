//! The pool's limit: workers on pipes, a number of tasks in flight to each, numbers in, numbers out.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::limit::Worker;

/// A task is a number of eight bytes, and so is its answer.
const TASK: usize = size_of::<u64>();

/// What all pools compute: as little as possible, so that the pool is measured and not the task.
pub(crate) fn next(number: u64) -> u64 {
    number + 1
}

/// A pool without names, errors, results out of order or a second kind of task.
pub(crate) struct Pipes {
    workers: Vec<Worker>,
    window: usize,
    buffer: Vec<u8>,
}

impl Pipes {
    /// Forks the workers; `window` tasks are in flight to each. Both directions together must fit
    /// into the pipes (64 KiB each), or parent and worker would wait for each other for ever.
    pub(crate) fn new(workers: usize, window: usize) -> io::Result<Self> {
        assert!(window * TASK <= 32 << 10, "{window} tasks in flight do not fit into a pipe");
        let workers = (0..workers).map(|_| Worker::fork(serve)).collect::<Result<_, _>>()?;
        Ok(Self { workers, window, buffer: vec![0; window * TASK] })
    }

    /// Sends `0..count`, and returns the sum of the answers.
    pub(crate) fn run(&mut self, count: u64) -> io::Result<u64> {
        let mut tasks = 0..count;
        let (mut sum, mut answers) = (0, 0);
        for worker in &mut self.workers {
            send(&mut worker.to, &mut self.buffer, tasks.by_ref().take(self.window))?;
        }
        while answers < count {
            for index in readable(&self.workers)? {
                let worker = &mut self.workers[index];
                let length = read_whole(&mut worker.from, &mut self.buffer)?;
                if length == 0 {
                    return Err(io::Error::other("a worker of the limit has ended"));
                }
                for number in numbers(&self.buffer[..length]) {
                    sum += number;
                }
                answers += (length / TASK) as u64;
                send(&mut worker.to, &mut self.buffer, tasks.by_ref().take(length / TASK))?;
            }
        }
        Ok(sum)
    }
}

fn readable(workers: &[Worker]) -> io::Result<Vec<usize>> {
    let mut fds: Vec<PollFd> =
        workers.iter().map(|worker| PollFd::new(worker.from.as_fd(), PollFlags::POLLIN)).collect();
    poll(&mut fds, PollTimeout::NONE)?;
    let ready = |fd: &PollFd| fd.any().unwrap_or(true);
    Ok(fds.iter().enumerate().filter(|(_, fd)| ready(fd)).map(|(index, _)| index).collect())
}

fn send(
    to: &mut PipeWriter,
    buffer: &mut [u8],
    tasks: impl Iterator<Item = u64>,
) -> io::Result<()> {
    let mut length = 0;
    for (slot, task) in buffer.chunks_exact_mut(TASK).zip(tasks) {
        slot.copy_from_slice(&task.to_ne_bytes());
        length += TASK;
    }
    to.write_all(&buffer[..length])
}

fn serve(mut from: PipeReader, mut to: PipeWriter) -> io::Result<()> {
    let mut buffer = vec![0; 32 << 10];
    loop {
        let length = read_whole(&mut from, &mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        for slot in buffer[..length].chunks_exact_mut(TASK) {
            let answer = numbers(slot).map(next).sum::<u64>();
            slot.copy_from_slice(&answer.to_ne_bytes());
        }
        to.write_all(&buffer[..length])?;
    }
}

/// Reads what there is, up to the end of a task.
fn read_whole(from: &mut PipeReader, buffer: &mut [u8]) -> io::Result<usize> {
    let length = from.read(buffer)?;
    let end = length.next_multiple_of(TASK);
    from.read_exact(&mut buffer[length..end])?;
    Ok(end)
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks().0.iter().map(|chunk| u64::from_ne_bytes(*chunk))
}
