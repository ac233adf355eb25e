use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::chunk::{self, Failure, Packer};
use crate::engine::Want;
use crate::job::Job;
use crate::{Chunks, Error};

/// The results of [`imap`](crate::Pool::imap) or [`imap_unordered`](crate::Pool::imap_unordered),
/// one by one.
///
/// Unlike Python's, which reads all of its input at once (an endless one fills the memory), it asks
/// for input as results are asked for: sixteen chunks ahead for each worker.
///
/// If the input panics, all results before that are given first, and then the panic goes on.
pub struct Imap<'p, I: Iterator, R> {
    chunks: Chunks<'p>,
    entry: [u8; 16],
    inputs: I,
    add: fn(&mut Packer, &I::Item, &mut Vec<u8>),
    ordered: bool,
    /// Chunks that were submitted, and how many results each will give.
    ahead: VecDeque<(Arc<Job>, usize)>,
    results: VecDeque<Result<R, Error>>,
    /// The input is at its end, or has panicked.
    ended: bool,
    panic: Option<Box<dyn Any + Send>>,
}

const AHEAD: usize = 16;

impl<I: Iterator, R> fmt::Debug for Imap<'_, I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imap").field("ahead", &self.ahead.len()).finish_non_exhaustive()
    }
}

impl<'p, I: Iterator, R: DeserializeOwned> Imap<'p, I, R> {
    pub(crate) fn new(
        chunks: Chunks<'p>,
        entry: [u8; 16],
        inputs: I,
        add: fn(&mut Packer, &I::Item, &mut Vec<u8>),
        ordered: bool,
    ) -> Imap<'p, I, R> {
        let mut imap = Imap {
            chunks,
            entry,
            inputs,
            add,
            ordered,
            ahead: VecDeque::new(),
            results: VecDeque::new(),
            ended: false,
            panic: None,
        };
        if chunks.size == Some(0) {
            imap.results.push_back(Err(Error::EmptyChunks));
            imap.ended = true;
        }
        imap
    }

    /// Submits chunks until enough are ahead.
    fn fill(&mut self) {
        let mut parts = Vec::new();
        while !self.ended && self.ahead.len() < AHEAD * self.chunks.pool.processes {
            let (mut packer, mut bytes) = (Packer::default(), Vec::new());
            while packer.count() != self.chunks.size.unwrap_or(1) {
                match catch_unwind(AssertUnwindSafe(|| self.inputs.next())) {
                    Ok(Some(input)) => (self.add)(&mut packer, &input, &mut bytes),
                    Ok(None) => self.ended = true,
                    Err(panic) => (self.ended, self.panic) = (true, Some(panic)),
                }
                if self.ended {
                    break;
                }
            }
            let count = packer.count();
            if count > 0 {
                packer.close(&mut bytes);
                let job = Job::single(None);
                parts.push(self.chunks.pool.single(job.clone(), self.entry, bytes));
                self.ahead.push_back((job, count));
            }
        }
        if !parts.is_empty() {
            self.chunks.pool.submit(parts, false);
        }
    }

    /// Waits for the next chunk that is due; an error if none will come.
    fn next_chunk(&mut self) -> Option<Result<(Arc<Job>, usize), Error>> {
        let jobs: Vec<&Arc<Job>> = self.ahead.iter().map(|(job, _)| job).collect();
        let jobs = if self.ordered { jobs.get(..1)? } else { &jobs };
        if jobs.is_empty() {
            return None;
        }
        if !jobs.iter().any(|job| job.is_done())
            && let Err(error) = self.chunks.pool.wait(Want::Any(jobs))
        {
            self.ahead.clear();
            self.ended = true;
            return Some(Err(error));
        }
        let done = jobs.iter().position(|job| job.is_done())?;
        self.ahead.remove(done).map(Ok)
    }

    fn read(&mut self, job: &Job, count: usize) {
        let _ = job.read::<()>(|answer| {
            let opened = answer.and_then(|(pid, bytes)| match chunk::open(bytes) {
                Ok(answers) => Ok((pid, answers)),
                Err(failure) => Err(failure.into_error(pid)),
            });
            match opened {
                Ok((pid, mut answers)) => {
                    while let Some(value) = answers.next(Failure::Result) {
                        self.results.push_back(value.map_err(|failure| failure.into_error(pid)));
                    }
                }
                Err(error) => self.results.extend((0..count).map(|_| Err(error.clone()))),
            }
            Ok(())
        });
    }
}

impl<I: Iterator, R: DeserializeOwned> Iterator for Imap<'_, I, R> {
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Result<R, Error>> {
        loop {
            if let Some(result) = self.results.pop_front() {
                return Some(result);
            }
            self.fill();
            match self.next_chunk() {
                Some(Ok((job, count))) => self.read(&job, count),
                Some(Err(error)) => return Some(Err(error)),
                None => match self.panic.take() {
                    Some(panic) => resume_unwind(panic),
                    None => return None,
                },
            }
        }
    }
}
