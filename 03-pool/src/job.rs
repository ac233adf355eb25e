use std::fmt;
use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Error;

/// What a caller waits for: a call, or all chunks of a map.
pub(crate) struct Job {
    progress: Mutex<Progress>,
    done: AtomicBool,
}

/// Run when the job is done, by the pool's own thread.
pub(crate) type Callback = Box<dyn FnOnce(&Job) + Send>;

#[derive(Default)]
struct Progress {
    /// More parts may come.
    open: bool,
    left: usize,
    answers: Vec<Answer>,
    /// The small answers, one after the other: thousands of them don't cost an allocation each.
    bytes: Vec<u8>,
    callback: Option<Callback>,
}

#[derive(Default)]
enum Answer {
    #[default]
    Pending,
    Small(i32, Range<usize>),
    Large(i32, Vec<u8>),
    Failed(Box<Error>),
}

/// Above this an answer's own vector is kept, instead of a copy of its bytes.
const LARGE: usize = 16 << 10;

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("done", &self.done).finish_non_exhaustive()
    }
}

impl Job {
    /// A job of one part.
    pub(crate) fn single(callback: Option<Callback>) -> Arc<Job> {
        let job = Job::open(callback);
        job.add(1);
        job.close();
        job
    }

    /// A job without a part yet, and not done before it is [closed](Job::close).
    pub(crate) fn open(callback: Option<Callback>) -> Arc<Job> {
        let progress = Progress { open: true, callback, ..Progress::default() };
        Arc::new(Job { progress: Mutex::new(progress), done: AtomicBool::new(false) })
    }

    /// Adds so many parts; returns the number of the first.
    pub(crate) fn add(&self, parts: usize) -> u32 {
        let mut progress = self.progress();
        let first = progress.answers.len();
        progress.answers.resize_with(first + parts, Answer::default);
        progress.left += parts;
        first as u32
    }

    /// No more parts.
    pub(crate) fn close(&self) {
        let mut progress = self.progress();
        progress.open = false;
        if progress.left == 0 {
            self.done.store(true, Release);
        }
    }

    /// How many parts are not settled.
    pub(crate) fn left(&self) -> usize {
        self.progress().left
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Acquire)
    }

    /// The callback, for the one who is to run it.
    pub(crate) fn take_callback(&self) -> Option<Callback> {
        self.progress().callback.take()
    }

    /// Takes in what became of a part. True when it was the last one.
    pub(crate) fn settle(&self, part: u32, outcome: Result<(i32, &mut Vec<u8>), Error>) -> bool {
        let mut progress = self.progress();
        let answer = match outcome {
            Err(error) => Answer::Failed(Box::new(error)),
            Ok((pid, bytes)) if bytes.len() >= LARGE => Answer::Large(pid, std::mem::take(bytes)),
            Ok((pid, bytes)) => {
                let start = progress.bytes.len();
                progress.bytes.extend_from_slice(bytes);
                Answer::Small(pid, start..progress.bytes.len())
            }
        };
        progress.answers[part as usize] = answer;
        progress.left -= 1;
        let done = progress.left == 0 && !progress.open;
        if done {
            self.done.store(true, Release);
        }
        done
    }

    /// Gives every part's answer, in the order of the parts, and the pid of the worker it came from.
    pub(crate) fn read<T>(
        &self,
        mut each: impl FnMut(Result<(i32, &[u8]), Error>) -> Result<(), T>,
    ) -> Result<(), T> {
        let progress = self.progress();
        for answer in &progress.answers {
            each(match answer {
                Answer::Pending => continue,
                Answer::Small(pid, range) => Ok((*pid, &progress.bytes[range.clone()])),
                Answer::Large(pid, bytes) => Ok((*pid, bytes)),
                Answer::Failed(error) => Err((**error).clone()),
            })?;
        }
        Ok(())
    }
}

/// The arguments of some of a job's parts, and the code to run on them.
#[derive(Debug)]
pub(crate) struct Load {
    pub job: Arc<Job>,
    pub entry: [u8; 16],
    pub bytes: Vec<u8>,
    pub spare: Arc<Spare>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.spare.keep(std::mem::take(&mut self.bytes));
    }
}

/// Large buffers for arguments, to be used again: a fresh one costs a page fault for each 4 KiB,
/// which is dearer than to copy them.
#[derive(Debug, Default)]
pub(crate) struct Spare(Mutex<Vec<Vec<u8>>>);

impl Spare {
    /// No more than so many, and none that is larger than this.
    const MOST: usize = 8;
    const LARGEST: usize = 4 << 20;

    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn keep(&self, mut buffer: Vec<u8>) {
        if (LARGE..=Spare::LARGEST).contains(&buffer.capacity()) {
            buffer.clear();
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < Spare::MOST {
                kept.push(buffer);
            }
        }
    }
}

/// What goes to one worker as one: a task, in the pool's sense of the word.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub load: Arc<Load>,
    pub number: u32,
    pub range: Range<usize>,
    /// How often it was begun by a worker that died.
    pub deaths: u32,
}

impl Part {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.load.bytes[self.range.clone()]
    }
}

/// The parts of a load, which end at these places, as more parts of its job.
pub(crate) fn parts(load: Load, ends: &[usize]) -> impl Iterator<Item = Part> {
    let first = load.job.add(ends.len());
    let load = Arc::new(load);
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let ranges = starts.zip(ends).map(|(start, &end)| start..end);
    (first..).zip(ranges).map(move |(number, range)| Part {
        load: load.clone(),
        number,
        range,
        deaths: 0,
    })
}
